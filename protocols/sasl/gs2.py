"""The header that SCRAM and OAUTHBEARER share. RFC 5801 §4, RFC 5802 §7.

gs2-header = gs2-cbind-flag "," [ authzid ] ","
"""

import re
from dataclasses import dataclass

from protocols.sasl.mechanism import SaslError, text

# RFC 5802 §7: a saslname is value-safe-char, "=2C" or "=3D", once or more.
SASLNAME = r"(?:[^=,\x00]|=2C|=3D)+"
HEADER = re.compile(rf"(n|y|p=[A-Za-z0-9.-]+),(?:a=({SASLNAME}))?,")


@dataclass(frozen=True, slots=True)
class Header:
    """What a first message begins with."""

    binding: str  # the flag: n, y, or p=name
    authorize_as: str
    octets: bytes  # as they came: they are hashed


def header(message: bytes) -> tuple[Header, bytes]:
    """Return the header and what follows it. Raises SaslError."""
    said = text(message)
    match = HEADER.match(said)
    if match is None:
        raise SaslError("the GS2 header is malformed")
    octets = match[0].encode()
    return Header(match[1], saslname(match[2] or ""), octets), message[len(octets) :]


def saslname(quoted: str) -> str:
    """Undo the quoting of a name. RFC 5802 §5.1."""
    return quoted.replace("=2C", ",").replace("=3D", "=")
