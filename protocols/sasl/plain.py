"""PLAIN: one response, three parts. RFC 4616 §2.

message = [authzid] UTF8NUL authcid UTF8NUL passwd
"""

from typing_extensions import override

from protocols.sasl.mechanism import (
    MAX_RESPONSE,
    Challenge,
    Credentials,
    Mechanism,
    SaslError,
    same_user,
    text,
)


class Plain(Mechanism):
    """The client says everything at once."""

    @override
    def step(self, response: bytes | None) -> Challenge | Credentials:
        if response is None:
            return Challenge(b"")
        parts = response.split(b"\0", 3)
        if len(response) > MAX_RESPONSE or len(parts) != 3:
            raise SaslError("PLAIN wants three parts")
        authorize_as, login, password = (text(part) for part in parts)
        if not login or not password:
            raise SaslError("PLAIN wants a login and a password")
        return same_user(Credentials(login, password, authorize_as))
