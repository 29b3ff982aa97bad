"""The answers: Thunderbird's, Microsoft's and Apple's way to say the same.

None says whether an address exists, only where those of a domain of ours log in.
"""

import plistlib
import re
import uuid
from typing import Any
from xml.sax.saxutils import unescape

from django.conf import settings
from django.template.loader import render_to_string

from mailhost.autoconfig.servers import Server, best, servers

LONGEST_REQUEST = 16 * 1024  # octets
# Read with no parser: a request has two facts in it, and strangers write it.
ADDRESS = re.compile(r"<(?:\w+:)?EMailAddress>\s*([^<>\s]{3,320})\s*</", re.IGNORECASE)
SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/outlook/"
NAMESPACE = uuid.UUID("6f1cfa1e-9f0c-4c36-9d3e-3f2f3a0f7f11")


def thunderbird(domain: str, web: str) -> str:
    """Return config-v1.1.xml, which Thunderbird, K-9, Evolution and others read."""
    found = servers()
    return render_to_string(
        "autoconfig/thunderbird.xml",
        {
            "domain": domain,
            "web": web,
            "incoming": [server for server in found if server.kind != "smtp"],
            "outgoing": [server for server in found if server.kind == "smtp"],
        },
    )


def outlook(address: str) -> str:
    """Return autodiscover.xml, as Outlook reads it for IMAP accounts."""
    kinds = (best("imap"), best("pop3"), best("smtp"))
    return render_to_string(
        "autoconfig/outlook.xml",
        {"address": address, "servers": [server for server in kinds if server]},
    )


def outlook_error(code: int, message: str, at: str) -> str:
    """Return an answer that gives nothing: 600 not understood, 601 not here."""
    return render_to_string(
        "autoconfig/error.xml", {"code": code, "message": message, "at": at}
    )


def asked_by_outlook(octets: bytes) -> tuple[str, bool]:
    """Return the address in a request, "" if there is none, and if we can answer.

    A telephone that asks for ActiveSync (another schema) has to ask otherwise.
    """
    text = octets[:LONGEST_REQUEST].decode("utf-8", "replace")
    found = ADDRESS.search(text)
    schemas = re.findall(r"AcceptableResponseSchema>\s*([^<\s]+)", text)
    understood = not schemas or any(one.startswith(SCHEMA) for one in schemas)
    return unescape(found[1]) if found else "", understood


def apple(address: str, name: str, password: str = "") -> bytes:
    """Return a profile that sets up an iPhone, iPad or Mac; with a password: whole."""
    incoming, outgoing = best("imap") or best("pop3"), best("smtp")
    assert incoming is not None
    assert outgoing is not None
    own = f"{settings.MAILHOST_CLIENT_HOST}/{address}"
    mail: dict[str, Any] = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"mailhost.{own}.mail",
        "PayloadUUID": str(uuid.uuid5(NAMESPACE, f"{own}/mail")).upper(),
        "PayloadDisplayName": address,
        "EmailAccountDescription": address,
        "EmailAccountName": name or address,
        "EmailAccountType": f"EmailType{incoming.kind.upper()}",
        "EmailAddress": address,
        **_side("Incoming", incoming, address),
        **_side("Outgoing", outgoing, address),
        "OutgoingPasswordSameAsIncomingPassword": True,
        "PreventMove": False,
        "SMIMEEnabled": False,
    }
    if password:
        mail["IncomingPassword"] = password
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"mailhost.{own}",
        "PayloadUUID": str(uuid.uuid5(NAMESPACE, own)).upper(),
        "PayloadDisplayName": address,
        "PayloadOrganization": settings.MAILHOST_CLIENT_HOST,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [mail],
    }
    return plistlib.dumps(profile)


def _side(side: str, server: Server, address: str) -> dict[str, Any]:
    return {
        f"{side}MailServerAuthentication": "EmailAuthPassword",
        f"{side}MailServerHostName": server.host,
        f"{side}MailServerPortNumber": server.port,
        f"{side}MailServerUseSSL": True,  # by STARTTLS where the port wants that
        f"{side}MailServerUsername": address,
    }
