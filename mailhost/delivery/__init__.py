"""A message to its addresses: where each leads, the store, the queue to the outside.

- `look_up`, `route`, `routes`: where an address leads, aliases followed
- `deliver`: what came in from outside (`Judged`: what is known of it), or was made here
- `submit`: what a user of ours sends (`submit_sync` from Django's own threads)
- `schedule`, `cancel`: what is sent later, and undo (`…_sync` as above)
- `deliver_report`, `return_to_sender`, `tell_success`: reports on delivery

One Content serves all recipients. What stays here and what goes out is committed in
one transaction; an answer of success leaves after that commit.
"""

from mailhost.delivery.incoming import deliver
from mailhost.delivery.judged import TRUSTED, Judged
from mailhost.delivery.outcomes import Outcome
from mailhost.delivery.reports import (
    deliver_report,
    return_to_sender,
    tell_success,
)
from mailhost.delivery.routes import Route, look_up, route, routes
from mailhost.delivery.scheduled import cancel, cancel_sync, schedule, schedule_sync
from mailhost.delivery.submission import NotPermitted, submit, submit_sync

__all__ = [
    "TRUSTED",
    "Judged",
    "NotPermitted",
    "Outcome",
    "Route",
    "cancel",
    "cancel_sync",
    "deliver",
    "deliver_report",
    "look_up",
    "return_to_sender",
    "route",
    "routes",
    "schedule",
    "schedule_sync",
    "submit",
    "submit_sync",
    "tell_success",
]
