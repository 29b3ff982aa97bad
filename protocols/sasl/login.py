"""LOGIN: asks for the name, then for the password. draft-murchison-sasl-login-00.

Obsolete but what several mail programs still use; an initial response is the name.
"""

from typing_extensions import override

from protocols.sasl.mechanism import (
    Challenge,
    Credentials,
    Mechanism,
    SaslError,
    text,
)


class Login(Mechanism):
    """Two questions."""

    def __init__(self) -> None:
        self._login: str | None = None

    @override
    def step(self, response: bytes | None) -> Challenge | Credentials:
        if response is None:
            return Challenge(b"Username:")
        if self._login is None:
            self._login = text(response)
            return Challenge(b"Password:")
        if not self._login or not response:
            raise SaslError("LOGIN wants a login and a password")
        return Credentials(self._login, text(response))
