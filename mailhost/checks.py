"""What `manage.py check` and every start look at beyond single settings."""

import ssl
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks

LOOPBACK = {"127.0.0.1", "::1"}


@checks.register(checks.Tags.security)
def certificate(**_: Any) -> Sequence[checks.CheckMessage]:
    """The certificate can be read and belongs to its key."""
    if not settings.MAILHOST_CERTIFICATE:
        return []
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.MAILHOST_CERTIFICATE, settings.MAILHOST_CERTIFICATE_KEY
        )
    except (ssl.SSLError, OSError) as error:
        return [
            checks.Error(
                f"MAILHOST_CERTIFICATE is {settings.MAILHOST_CERTIFICATE!r}; it must be"
                " a PEM certificate that belongs to MAILHOST_CERTIFICATE_KEY"
                f" ({getattr(error, 'reason', None) or error}).",
                id="mailhost.E001",
            )
        ]
    return []


@checks.register(checks.Tags.security)
def public(**_: Any) -> Sequence[checks.CheckMessage]:
    """A server that others reach has a name, and keeps passwords inside TLS."""
    if set(settings.MAILHOST_LISTEN) <= LOOPBACK:
        return []
    found = []
    if settings.MAILHOST_HOSTNAME == "localhost":
        found.append(
            checks.Warning(
                "MAILHOST_HOSTNAME is 'localhost' while MAILHOST_LISTEN reaches beyond"
                " this machine; other servers will refuse the mail.",
                id="mailhost.W001",
            )
        )
    if settings.MAILHOST_ALLOW_PLAINTEXT_LOGIN:
        found.append(
            checks.Warning(
                "MAILHOST_ALLOW_PLAINTEXT_LOGIN lets passwords cross the network"
                " without TLS.",
                id="mailhost.W002",
            )
        )
    return found
