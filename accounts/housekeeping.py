"""What of accounts is forgotten after a time; called now and then by one process."""

from accounts import loginlog, provider, revocation, throttle


def prune() -> None:
    """Remove rows that say nothing any more. Idempotent."""
    for module in (revocation, throttle, loginlog, provider):
        module.prune()
