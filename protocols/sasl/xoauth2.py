"""XOAUTH2: what OAUTHBEARER grew out of, and many programs still speak.

response = "user=" login %x01 "auth=Bearer " token %x01 %x01
"""

import re

from protocols.sasl.mechanism import At, Challenge, SaslError, Steps
from protocols.sasl.oauthbearer import MAX_TOKEN, take

RESPONSE = re.compile(r"user=([^\x00\x01]+)\x01auth=([^\x00\x01]*)\x01\x01")


def xoauth2(at: At) -> Steps:
    """Take a token."""
    response: bytes = yield Challenge(b"")
    try:
        match = len(response) <= MAX_TOKEN and RESPONSE.fullmatch(response.decode())
    except UnicodeDecodeError:
        match = None
    if not match:
        raise SaslError("the response is malformed")
    return (yield from take(match[1], match[2], at))
