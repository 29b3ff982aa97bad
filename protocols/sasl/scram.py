"""SCRAM-SHA-256 and SCRAM-SHA-1: the password is proven, never sent. RFC 5802, 7677.

There is no -PLUS: Python's ssl has no tls-exporter (RFC 9266), and its tls-unique ends
with TLS 1.2. A client that binds ("p") is refused; one that would have ("y") saw
truly that we do not. What it hashed of that is compared, so nobody can change it on
the way.
"""

import binascii
import re
import secrets
from base64 import b64decode, b64encode
from functools import partial

from accounts.claims import Proof, Salted
from accounts.known import Login
from accounts.saslprep import saslprep
from accounts.scram import Parameters
from protocols.sasl.gs2 import SASLNAME, header, saslname
from protocols.sasl.mechanism import (
    At,
    Challenge,
    SaslError,
    Steps,
    same_user,
    text,
)

EXTENSIONS = r"(?:,[A-Za-z]=[^,\x00]+)*"
# client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
FIRST = re.compile(rf"n=({SASLNAME}),r=([!-+\--~]+){EXTENSIONS}")
# client-final-message = channel-binding "," nonce ["," extensions] "," proof
FINAL = re.compile(rf"(c=([^,]+),r=([!-+\--~]+){EXTENSIONS}),p=([^,]+)")
NONCE_OCTETS = 18
LONGEST_NONCE = 512


def scram(name: str, _: At) -> Steps:
    """Prove the password, then that the server knows it too."""
    first: bytes = yield Challenge(b"")
    head, bare = header(first)
    if head.binding[0] == "p":
        raise SaslError("channel binding is not supported")  # RFC 5802 §6
    match = FIRST.fullmatch(text(bare))
    if match is None or len(match[2]) > LONGEST_NONCE:
        raise SaslError("the first message is malformed")
    login, nonce = _name(match[1]), match[2] + new_nonce()
    same_user(head.authorize_as, login)
    known: Parameters = yield Salted(login)
    salt = b64encode(known.salt).decode()
    server_first = f"r={nonce},s={salt},i={known.iterations}"
    final = FINAL.fullmatch(text((yield Challenge(server_first.encode()))))
    if final is None or final[3] != nonce or _octets(final[2]) != head.octets:
        raise SaslError("the final message does not fit the first")
    message = b",".join((bare, server_first.encode(), final[1].encode()))
    found: Login = yield Proof(login, name, message, _octets(final[4]))
    # No protocol here says more with its success: the client answers with nothing.
    if (yield Challenge(b"v=" + b64encode(found.answer))):
        raise SaslError("nothing is left to say")
    return found


def new_nonce() -> str:
    """Return the server's part of the nonce, which no test may foresee but by patch."""
    return secrets.token_urlsafe(NONCE_OCTETS)


def _name(quoted: str) -> str:
    try:
        return saslprep(saslname(quoted))
    except ValueError:
        raise SaslError("the name has characters that none has") from None


def _octets(base64: str) -> bytes:
    try:
        return b64decode(base64, validate=True)
    except binascii.Error:
        raise SaslError("not base64") from None


scram_sha_256 = partial(scram, "SCRAM-SHA-256")
scram_sha_1 = partial(scram, "SCRAM-SHA-1")
