"""PLAIN: one response, three parts. RFC 4616 §2.

message = [authzid] UTF8NUL authcid UTF8NUL passwd
"""

from accounts.claims import Password
from accounts.known import Login
from protocols.sasl.mechanism import (
    MAX_RESPONSE,
    At,
    Challenge,
    SaslError,
    Steps,
    same_user,
    text,
)


def plain(_: At) -> Steps:
    """Hear everything at once."""
    response: bytes = yield Challenge(b"")
    parts = response.split(b"\0", 3)
    if len(response) > MAX_RESPONSE or len(parts) != 3:
        raise SaslError("PLAIN wants three parts")
    authorize_as, login, password = (text(part) for part in parts)
    if not login or not password:
        raise SaslError("PLAIN wants a login and a password")
    same_user(authorize_as, login)
    found: Login = yield Password(login, password)
    return found
