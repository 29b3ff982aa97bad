"""What the listeners call for each connection."""

from protocols.common.context import ConnectionContext
from protocols.smtp.lmtp import Lmtp
from protocols.smtp.mx import Mx
from protocols.smtp.submission import Submission


def mx_factory(context: ConnectionContext) -> Mx:
    """Mail from the world, port 25."""
    return Mx(context)


def submission_factory(context: ConnectionContext) -> Submission:
    """Mail from our users, ports 587 and 465."""
    return Submission(context)


def lmtp_factory(context: ConnectionContext) -> Lmtp:
    """Mail from a server beside us, port 24."""
    return Lmtp(context)
