"""SCRAM's keys: how they are made, kept and tried. RFC 5802 §3, RFC 7677.

A user has one salt and one count, for all their passwords: an exchange begins with
them, before it is known which password the client has. Who does not exist has a salt
too, made of SECRET_KEY and the name, always the same.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import salted_hmac

from accounts.saslprep import saslprep

# What an app password of 130 random bits needs is none; a user's own password is
# guarded by Argon2 alone unless MAILHOST_SCRAM_MAIN_PASSWORDS says otherwise. A client
# computes them at each login, so it is a phone that sets the limit. RFC 7677 §4
ITERATIONS = 16_384
SALT_OCTETS = 16
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}

Keys = dict[str, list[list[str]]]  # mechanism -> pairs of StoredKey, ServerKey


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the server-first-message says of a user."""

    salt: bytes
    iterations: int


def new_salt() -> bytes:
    """Return a random salt for a new user."""
    return secrets.token_bytes(SALT_OCTETS)


def made_up_salt(login: str) -> bytes:
    """Return the salt of a login that has none: it looks like a random one."""
    made = salted_hmac("accounts.scram", login, algorithm="sha256").digest()
    return made[:SALT_OCTETS]


def keys_of(
    passwords: Iterable[str], salt: bytes, mechanisms: Iterable[str] = HASHES
) -> Keys:
    """Return the keys of each spelling of one password. RFC 5802 §3.

    SaltedPassword := Hi(Normalize(password), salt, i)
    """
    spellings = [_prepared(password).encode() for password in passwords]
    return {
        mechanism: [
            _pair(HASHES[mechanism], spelling, salt, ITERATIONS)
            for spelling in spellings
        ]
        for mechanism in mechanisms
    }


def _prepared(password: str) -> str:
    try:
        return saslprep(password)
    except ValueError:
        return password


def _pair(name: str, password: bytes, salt: bytes, iterations: int) -> list[str]:
    salted = hashlib.pbkdf2_hmac(name, password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", name)
    stored = hashlib.new(name, client_key).digest()
    server = hmac.digest(salted, b"Server Key", name)
    return [b64encode(stored).decode(), b64encode(server).decode()]


def try_proof(
    keys: Keys | None, mechanism: str, message: bytes, proof: bytes
) -> bytes | None:
    """Return the ServerSignature if one of the keys made this proof. RFC 5802 §3."""
    name = HASHES[mechanism]
    for stored_text, server_text in (keys or {}).get(mechanism, ()):
        stored = b64decode(stored_text)
        signature = hmac.digest(stored, message, name)
        if len(proof) != len(signature):
            return None
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        if hmac.compare_digest(hashlib.new(name, client_key).digest(), stored):
            return hmac.digest(b64decode(server_text), message, name)
    return None


def wanted_for_passwords() -> tuple[str, ...]:
    """Return the mechanisms for which a user's own password gets keys; mostly none."""
    if settings.MAILHOST_SCRAM_MAIN_PASSWORDS == "no":
        return ()
    return tuple(HASHES) if settings.MAILHOST_SCRAM_SHA1 else ("SCRAM-SHA-256",)


def fingerprint(hashed: str) -> str:
    """Return what ties keys to the password hash beside which they are kept."""
    return hashlib.sha256(hashed.encode()).hexdigest()


def keys_for_password(password: str, hashed: str, salt: bytes) -> dict[str, object]:
    """Return what User.scram_keys holds; {} where none are wanted."""
    mechanisms = wanted_for_passwords()
    if not mechanisms:
        return {}
    return {"for": fingerprint(hashed), **keys_of([password], salt, mechanisms)}
