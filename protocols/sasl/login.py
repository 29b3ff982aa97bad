"""LOGIN: asks for the name, then for the password. draft-murchison-sasl-login-00.

Obsolete but what several mail programs still use; an initial response is the name.
"""

from accounts.claims import Password
from accounts.known import Login
from protocols.sasl.mechanism import At, Challenge, SaslError, Steps, text


def login(_: At) -> Steps:
    """Ask two questions."""
    name = text((yield Challenge(b"Username:")))
    password = text((yield Challenge(b"Password:")))
    if not name or not password:
        raise SaslError("LOGIN wants a login and a password")
    found: Login = yield Password(name, password)
    return found
