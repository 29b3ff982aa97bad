"""What `manage.py check` and every start look at beyond single settings."""

import json
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt
from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

if TYPE_CHECKING:  # models cannot be imported before the apps are ready
    from mailhost.screening.checks import Check

LOCAL = {"127.0.0.1", "::1", "localhost"}
LOOPBACK = {"127.0.0.1", "::1"}
ALGORITHMS = jwt.algorithms.get_default_algorithms()


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


@checks.register()
def mail_checks(**_: Any) -> Sequence[checks.CheckMessage]:
    """The checks of incoming mail that settings name are there."""
    from mailhost.screening import checks as screening

    known = {kind.name for kind in screening.CHECKS}
    found = []
    for path in settings.MAILHOST_EXTRA_CHECKS:
        try:
            known.add(_check_at(path).name)
        except (ImportError, AttributeError, TypeError) as error:
            found.append(
                checks.Error(
                    f"MAILHOST_EXTRA_CHECKS names {path!r}; it must be the dotted path"
                    f" of a subclass of mailhost.screening.checks.Check ({error}).",
                    id="mailhost.E002",
                )
            )
    if unknown := set(settings.MAILHOST_SKIPPED_CHECKS) - known:
        found.append(
            checks.Error(
                f"MAILHOST_SKIPPED_CHECKS names {min(unknown)!r}; the checks are"
                f" {', '.join(sorted(known))}.",
                id="mailhost.E003",
            )
        )
    return found


def _check_at(path: str) -> "type[Check]":
    from mailhost.screening.checks import Check

    found: type[Check] = import_string(path)
    if not issubclass(found, Check):
        raise TypeError("it is something else")
    return found


@checks.register(checks.Tags.security)
def signing_in(**_: Any) -> Sequence[checks.CheckMessage]:
    """What logins are checked with can be used."""
    wrong = []
    for path in settings.MAILHOST_AUTHENTICATION_BACKENDS:
        try:
            import_string(path)
        except Exception as error:  # noqa: BLE001 -- whatever a package raises
            wrong.append(("MAILHOST_AUTHENTICATION_BACKENDS", path, str(error)))
    if unknown := set(settings.MAILHOST_OAUTH_ALGORITHMS) - set(ALGORITHMS):
        wrong.append(("MAILHOST_OAUTH_ALGORITHMS", min(unknown), "there is none such"))
    for name, test in (("MAILHOST_CLIENT_CA", _ca), ("MAILHOST_OAUTH_KEYS", _keys)):
        value = getattr(settings, name)
        try:
            if value:
                test(value)
        except (OSError, ValueError, jwt.PyJWTError) as error:
            wrong.append((name, value, str(error)))
    return [
        checks.Error(
            f"{name} is {value!r}; it cannot be used: {why}.", id="mailhost.E004"
        )
        for name, value, why in wrong
    ]


def _ca(file: str) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(file)


def _keys(source: str) -> None:
    """Look into a file; what is elsewhere may come later than this server."""
    if "://" not in source:
        jwt.PyJWKSet.from_dict(json.loads(Path(source).read_bytes()))
    elif not source.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ValueError("keys come from a file or by https")


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


@checks.register(checks.Tags.security)
def authority(**_: Any) -> Sequence[checks.CheckMessage]:
    """What is to be issued by an authority can be."""
    from mailhost.certificates.places import is_name

    url = settings.MAILHOST_ACME_DIRECTORY
    if not url:
        return []
    found = []
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in LOCAL:
        found.append(
            checks.Error(
                f"MAILHOST_ACME_DIRECTORY is {url!r}; it must be a URL that starts with"
                " https://.",
                id="mailhost.E005",
            )
        )
    hostname = settings.MAILHOST_HOSTNAME
    names = [] if settings.MAILHOST_CERTIFICATE else [hostname]
    for name in (*names, *settings.MAILHOST_ACME_NAMES):
        if not is_name(name):
            setting = "MAILHOST_HOSTNAME" if name == hostname else "MAILHOST_ACME_NAMES"
            found.append(
                checks.Error(
                    f"{setting} holds {name!r}; no authority issues a certificate for"
                    " it, as MAILHOST_ACME_DIRECTORY asks.",
                    id="mailhost.E006",
                )
            )
    return found
