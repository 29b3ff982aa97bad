"""UID FETCH of Thunderbird's header fields, as it fills its list of messages.

python -m tests.bench.imap_headers [messages [times]]
"""

import sys
from contextlib import closing

from tests.bench.line import Line, fill, measure, server

FIELDS = (
    "From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups"
    " In-Reply-To Content-Type Reply-To"
)
ITEMS = f"(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS ({FIELDS})])"


def main(messages: int = 10_000, times: int = 6) -> None:
    """Fill a folder, measure, print."""
    with server(1) as installation:
        fill(installation, "Headers", messages, 3000)
        with closing(Line(installation, 1)) as line:
            line.ask("SELECT Headers")
            figures = measure(line, f"UID FETCH 1:* {ITEMS}", times, messages)
    print(f"headers of {messages}: {figures}")  # noqa: T201


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
