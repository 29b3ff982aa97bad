"""The base subject, by which subjects are sorted and threaded. RFC 5256 §2.1 and §5."""

import re

from mailhost.mime.casemap import casemap

# subj-blob = "[" *BLOBCHAR "]" *WSP
_BLOB = r"\[[^\[\]]*+\][ ]*+"
_BLOBS = re.compile(rf"(?:{_BLOB})*+")
# subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
_REFWD = re.compile(rf"(?:{_BLOB})*+(?:RE|FWD?+)[ ]*+(?:{_BLOB})?+:[ ]*+")
_SPACES = re.compile(r"[ \t\r\n]+")
_FWD_HEADER, _FWD_TRAILER, _TRAILER = "[FWD:", "]", "(FWD)"


def base_subject(subject: str) -> str:
    """Return the base subject of a decoded subject, casemapped; "" is possible."""
    return casemap(stripped(subject)[0])


def is_reply_or_forward(subject: str) -> bool:
    """Tell whether the subject says so: "re:", "fwd:" and the like were removed."""
    return stripped(subject)[1]


def stripped(subject: str) -> tuple[str, bool]:
    """Return the subject without what was put around it, and `is_reply_or_forward`."""
    text = _SPACES.sub(" ", subject)
    small = text.upper() if text.isascii() else _upper_ascii(text)
    start, end, replies = 0, len(text), False
    while True:
        end, trailed = _without_trailers(small, start, end)
        start, led = _without_leaders(small, start, end)
        replies = replies or trailed or led
        # Step 6.
        forwarded = small.startswith(_FWD_HEADER, start, end)
        if not (forwarded and small.endswith(_FWD_TRAILER, start, end)):
            return text[start:end], replies
        start, end = start + len(_FWD_HEADER), end - len(_FWD_TRAILER)
        replies = True


def _upper_ascii(text: str) -> str:
    """Return text as long as it was, ASCII letters in upper case."""
    return "".join(c.upper() if c.isascii() else c for c in text)


def _without_trailers(text: str, start: int, end: int) -> tuple[int, bool]:
    """Step 2: move the end before every "(fwd)" and space; tell of a "(fwd)"."""
    trailed = False
    while end > start:
        if text[end - 1] == " ":
            end -= 1
        elif text.endswith(_TRAILER, start, end):
            end -= len(_TRAILER)
            trailed = True
        else:
            break
    return end, trailed


def _without_leaders(text: str, start: int, end: int) -> tuple[int, bool]:
    """Steps 3 to 5: move the start past spaces, replies and blobs; tell of a reply.

    Blobs are looked at as one run, so that a thousand of them cost a thousand steps:
    either the run leads to a "re:" and goes with it, or its blobs go one by one as
    long as something is left.
    """
    led = False
    while True:
        while start < end and text[start] == " ":
            start += 1
        if match := _REFWD.match(text, start, end):
            start = match.end()
            led = True
            continue
        run = _BLOBS.match(text, start, end)
        after = run.end() if run else start
        if after == start:
            return start, led
        if after < end:
            start = after
            continue
        return text.rindex("[", start, end), led
