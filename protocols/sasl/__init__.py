"""SASL: octets in; challenges, claims and at last a Login out. No socket, no SQL.

`offered(at)` names the mechanisms of a connection; `start(name, at)` begins one.
`step(None)` when the client sent no initial response, `step(octets)` (decoded from
base64) for each response. What it returns is a `Challenge` to be sent; or a claim for
`accounts.auth`, whose answer goes in by `answered` or `refused`; or the `Login`. It
raises `SaslError` for what is no grammar, and at the end the refusal of the claim.
"""

from collections.abc import Callable

from django.conf import settings

from accounts import passwords, tokens
from protocols.sasl.exchange import Exchange, Said
from protocols.sasl.external import external
from protocols.sasl.login import login
from protocols.sasl.mechanism import At, Challenge, SaslError, Steps
from protocols.sasl.oauthbearer import oauthbearer
from protocols.sasl.plain import plain
from protocols.sasl.scram import scram_sha_1, scram_sha_256
from protocols.sasl.xoauth2 import xoauth2

__all__ = ["At", "Challenge", "Exchange", "Said", "SaslError", "offered", "start"]


def serves_scram(_: At) -> bool:
    """Tell whether every password that is taken has SCRAM keys."""
    own_have = settings.MAILHOST_SCRAM_MAIN_PASSWORDS == "yes"
    own_are_out = settings.MAILHOST_APP_PASSWORDS_ONLY
    return (own_have or own_are_out) and not passwords.asks_others()


def serves_scram_sha_1(at: At) -> bool:
    """Tell whether the older SCRAM is wanted, too."""
    return serves_scram(at) and settings.MAILHOST_SCRAM_SHA1


def serves_tokens(at: At) -> bool:
    """Tell whether tokens are taken; never in the clear. RFC 7628 §5."""
    return tokens.are_taken() and (at.tls or at.loopback)


def has_certificate(at: At) -> bool:
    """Tell whether TLS has verified who the client is."""
    return at.tls and bool(at.emails)


def always(_: At) -> bool:
    """Plain passwords: whether they may be sent is the protocol's to know."""
    return True


# In the order in which they are announced: several programs take the first they know.
MECHANISMS: dict[str, tuple[Callable[[At], Steps], Callable[[At], bool]]] = {
    "EXTERNAL": (external, has_certificate),
    "SCRAM-SHA-256": (scram_sha_256, serves_scram),
    "SCRAM-SHA-1": (scram_sha_1, serves_scram_sha_1),
    "PLAIN": (plain, always),
    "LOGIN": (login, always),
    "OAUTHBEARER": (oauthbearer, serves_tokens),
    "XOAUTH2": (xoauth2, serves_tokens),
}


def offered(at: At) -> tuple[str, ...]:
    """Return the names of what every password or token here can be used with."""
    return tuple(name for name, (_, serves) in MECHANISMS.items() if serves(at))


def start(name: str, at: At) -> Exchange | None:
    """Begin a mechanism by its name, any case; None where it is not offered."""
    made, serves = MECHANISMS.get(name.upper(), (None, always))
    return Exchange(made(at)) if made is not None and serves(at) else None
