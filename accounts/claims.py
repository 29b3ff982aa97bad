"""What a client claims at login: values that accounts.auth checks.

SASL mechanisms, LOGIN, USER and the web make one of these; there is no other way in.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Password:
    """A login and what its owner knows: a password, or an app password."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Salted:
    """The question of a SCRAM exchange: with which salt and count. RFC 5802 §5.1."""

    login: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What SCRAM proves: that the client knows a password. RFC 5802 §3."""

    login: str
    mechanism: str  # SCRAM-SHA-256
    message: bytes  # the AuthMessage
    proof: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bearer:
    """An access token, and whose it is said to be; "" says nothing. RFC 7628."""

    login: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A login that the verified certificate of the TLS connection names. RFC 4422 A."""

    login: str


Claim = Password | Proof | Bearer | Certificate
