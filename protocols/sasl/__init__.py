"""SASL: octets in, challenges and credentials out; no socket, no password check.

`start(name)` gives a mechanism. `step(None)` when the client sent no initial response,
`step(octets)` (decoded from base64) for each response. It returns a `Challenge` to be
sent, or the `Credentials` to be checked by accounts.auth; it raises `SaslError`.
"""

from protocols.sasl.login import Login
from protocols.sasl.mechanism import Challenge, Credentials, Mechanism, SaslError
from protocols.sasl.plain import Plain

__all__ = ["MECHANISMS", "Challenge", "Credentials", "Mechanism", "SaslError", "start"]

# In the order in which they are announced.
MECHANISMS: dict[str, type[Mechanism]] = {"PLAIN": Plain, "LOGIN": Login}


def start(name: str) -> Mechanism | None:
    """Return a mechanism by its name, any case; None if we have none such."""
    made = MECHANISMS.get(name.upper())
    return None if made is None else made()
