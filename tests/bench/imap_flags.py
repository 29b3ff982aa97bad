"""UID FETCH 1:* (FLAGS) of a big folder: what many clients ask at each start.

python -m tests.bench.imap_flags [messages [times]]
"""

import sys
from contextlib import closing

from tests.bench.line import Line, fill, measure, server


def main(messages: int = 100_000, times: int = 7) -> None:
    """Fill a folder, measure, print."""
    with server(1) as installation:
        fill(installation, "Big", messages, 1000)
        with closing(Line(installation, 1)) as line:
            line.ask("SELECT Big")
            figures = measure(line, "UID FETCH 1:* (FLAGS)", times, messages)
    print(f"FLAGS of {messages}: {figures}")  # noqa: T201


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
