"""Clients of SASL mechanisms, written from the RFCs and not from our own code."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from accounts import auth
from accounts.claims import Claim, Salted


def ask(claim: Claim | Salted, protocol: str) -> Any:
    """Answer as protocols.common.logins, on the test's own connection."""
    if isinstance(claim, Salted):
        return auth.salted(claim.login)
    return auth.check(claim, auth.Attempt(protocol, "127.0.0.1"))


@dataclass
class Scram:
    """A SCRAM client. RFC 5802 §5."""

    login: str
    password: str
    hash_name: str = "sha256"
    nonce: str = "rOprNGfwEbeRWgbNEkqO"
    gs2: str = "n,,"
    message: bytes = field(default=b"", init=False)
    salted: bytes = field(default=b"", init=False)

    def first(self) -> bytes:
        name = self.login.replace("=", "=3D").replace(",", "=2C")
        self.bare = f"n={name},r={self.nonce}"
        return (self.gs2 + self.bare).encode()

    def final(self, server_first: bytes) -> bytes:
        text = server_first.decode()
        fields = dict(part.split("=", 1) for part in text.split(","))
        assert fields["r"].startswith(self.nonce)
        assert len(fields["r"]) > len(self.nonce)
        self.salted = hashlib.pbkdf2_hmac(
            self.hash_name,
            self.password.encode(),
            base64.b64decode(fields["s"]),
            int(fields["i"]),
        )
        binding = base64.b64encode(self.gs2.encode()).decode()
        bare = f"c={binding},r={fields['r']}"
        self.message = f"{self.bare},{text},{bare}".encode()
        key = self.mac(self.salted, b"Client Key")
        stored = hashlib.new(self.hash_name, key).digest()
        signature = self.mac(stored, self.message)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return f"{bare},p={base64.b64encode(proof).decode()}".encode()

    def verifies(self, server_final: bytes) -> bool:
        key = self.mac(self.salted, b"Server Key")
        wanted = base64.b64encode(self.mac(key, self.message))
        return server_final == b"v=" + wanted

    def mac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self.hash_name)
