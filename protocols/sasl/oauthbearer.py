"""OAUTHBEARER: an access token, and in refusal what is wrong with it. RFC 7628.

client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
"""

import json
import re

from accounts.auth import LoginRefused
from accounts.claims import Bearer
from accounts.known import Login
from accounts.tokens import WORDS
from protocols.sasl.gs2 import header
from protocols.sasl.mechanism import At, Challenge, SaslError, Steps

MAX_TOKEN = 16_384  # octets of the response; providers' tokens are some kilobytes
# kvpair = key "=" value kvsep
PAIR = re.compile(rb"([A-Za-z]+)=([\t\n\r -~]*)")
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750 §2.1


def oauthbearer(at: At) -> Steps:
    """Take a token."""
    response: bytes = yield Challenge(b"")
    if len(response) > MAX_TOKEN:
        raise SaslError("the response is too long")
    head, *pairs = response.split(b"\1")
    gs2, rest = header(head)
    if rest or gs2.binding != "n" or pairs[-2:] != [b"", b""]:
        raise SaslError("the response is malformed")
    fields = dict(_pair(pair) for pair in pairs[:-2])
    if "auth" not in fields:
        raise SaslError("there is no auth")
    return (yield from take(gs2.authorize_as, fields["auth"], at))


def take(login: str, authorization: str, at: At) -> Steps:
    """Have a token checked; say in JSON why it is refused. RFC 7628 §3.2.2."""
    match = BEARER.fullmatch(authorization)
    # An empty one asks which scope is wanted. RFC 7628 §4.3
    token = match[1] if match else ""
    try:
        found: Login = yield Bearer(login, token)
    except LoginRefused:
        told = {"status": "invalid_token", "scope": WORDS[at.protocol]}
        yield Challenge(json.dumps(told).encode())
        raise
    return found


def _pair(octets: bytes) -> tuple[str, str]:
    match = PAIR.fullmatch(octets)
    if match is None:
        raise SaslError("a pair is malformed")
    return match[1].decode().lower(), match[2].decode()
