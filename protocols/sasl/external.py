"""EXTERNAL: the certificate that TLS has verified says who it is. RFC 4422 appendix A.

initial-response = authz-id-string, empty to become who the certificate names.
"""

from accounts.claims import Certificate
from accounts.known import Login
from protocols.sasl.mechanism import At, Challenge, SaslError, Steps, text


def external(at: At) -> Steps:
    """Take the certificate's address, or the named one of several."""
    wanted = text((yield Challenge(b""))).casefold()
    named = [e for e in at.emails if wanted in {"", e.casefold()}]
    if len(named) != 1:
        raise SaslError("the certificate does not say that")
    found: Login = yield Certificate(named[0])
    return found
