"""Contents of an older parser are parsed again, behind the running servers."""

import contextlib
from collections.abc import Iterator

from mailhost.mail.models import Content
from mailhost.mime.message import PARSER_VERSION
from mailhost.store import read
from mailhost.store.content import prepare
from mailhost.store.errors import NoSuchMessage

AT_ONCE = 100  # ids that are looked up together


def render_again() -> int:
    """Parse and render what an older parser did; return how many. Idempotent.

    One short statement for each, so that mail goes first. The octets, and what was
    decided by them at arrival (the thread), stay.
    """
    count = 0
    for content_id in _outdated():
        with contextlib.suppress(NoSuchMessage):  # it went meanwhile
            row = prepare(read.octets(content_id)).row
            count += Content.objects.filter(pk=content_id).update(**row)
    return count


def _outdated() -> Iterator[int]:
    after = 0
    while True:
        older = Content.objects.filter(parser_version__lt=PARSER_VERSION, pk__gt=after)
        some = list(older.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        if not some:
            return
        yield from some
        after = some[-1]
