"""A message to its addresses: where each leads, the store, the queue to the outside.

- `look_up`, `route`, `routes`: where an address leads, aliases followed
- `deliver`: what came in from outside (`Judged`: what is known of it), or was made here
- `submit`: what a user of ours sends (`submit_sync` from Django's own threads)
- `deliver_report`, `return_to_sender`: reports on delivery

One Content serves all recipients. What stays here and what goes out is committed in
one transaction; an answer of success leaves after that commit.
"""

from mailhost.delivery.incoming import deliver
from mailhost.delivery.judged import TRUSTED, Judged
from mailhost.delivery.outcomes import Outcome
from mailhost.delivery.reports import deliver_report, return_to_sender
from mailhost.delivery.routes import Route, look_up, route, routes
from mailhost.delivery.submission import NotPermitted, submit, submit_sync

__all__ = [
    "TRUSTED",
    "Judged",
    "NotPermitted",
    "Outcome",
    "Route",
    "deliver",
    "deliver_report",
    "look_up",
    "return_to_sender",
    "route",
    "routes",
    "submit",
    "submit_sync",
]
