"""Who wants to know of each message that was looked at."""

from django.dispatch import Signal

# incoming: values.Incoming, verdict: values.Verdict. Sent on the event loop, before the
# message is stored or refused: a receiver does little and asks no database.
screened = Signal()
