"""Text of answers: what was flowed, quoted and said before. Pure functions."""

import re
from collections.abc import Sequence

from mailhost.mime.addresses import Address
from mailhost.webmail import outlook

ANSWER = re.compile(r"\s*(?:re|aw|sv|antw|vs)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
FORWARD = re.compile(r"\s*(?:fwd?|wg)\s*:", re.IGNORECASE)
DEPTH = re.compile(r">*")
# Characters of an earlier text that are quoted.
MOST_QUOTED = 200_000
MOST_ATTRIBUTION = 3  # lines


def unflow(text: str, *, delsp: bool = False) -> str:
    """Join the lines of format=flowed text. RFC 3676 §4.

    `delsp` drops the space that marks a line as going on.
    """
    lines: list[str] = []
    goes_on, depth = False, 0
    for line in text.split("\n"):
        level = len(DEPTH.match(line)[0])  # type: ignore[index] # matches anything
        rest = line[level:].removeprefix(" ")
        if goes_on and level == depth and rest != "-- ":
            lines[-1] += rest
        else:
            lines.append(">" * level + " " * bool(level) + rest)
        depth = level
        goes_on = rest.endswith(" ") and rest != "-- "
        if goes_on and delsp:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return the lines of a text with a mark in front; its signature is left out."""
    kept = re.split(r"^-- $", text[:MOST_QUOTED], maxsplit=1, flags=re.MULTILINE)[0]
    return "\n".join(
        f">{line}" if line.startswith(">") else f"> {line}".rstrip()
        for line in kept.rstrip().split("\n")
    )


def folded(text: str) -> tuple[str, str]:
    """Split a text into what was written and what it quotes at its end, "" for none.

    The line that says who is quoted goes along. What answers between quotes is left
    as it is, and so is a text that is nothing but a quote.
    """
    lines = text.rstrip().split("\n")
    unmarked = outlook.start(lines)
    if unmarked is not None and any(line.strip() for line in lines[:unmarked]):
        return "\n".join(lines[:unmarked]), "\n".join(lines[unmarked:])
    start = len(lines)
    while start and (lines[start - 1].startswith(">") or not lines[start - 1].strip()):
        start -= 1
    if not any(line.startswith(">") for line in lines[start:]):
        return text, ""
    # An attribution may be wrapped: it ends in a colon, and a blank line is before it.
    first = start
    if first and lines[first - 1].rstrip().endswith(":"):
        while first and lines[first - 1].strip() and start - first < MOST_ATTRIBUTION:
            first -= 1
    if not any(line.strip() for line in lines[:first]):
        return text, ""
    return "\n".join(lines[:first]), "\n".join(lines[first:])


def answer_subject(subject: str) -> str:
    """Return `Re: subject`, once."""
    return subject if ANSWER.match(subject) else f"Re: {subject}"


def forward_subject(subject: str) -> str:
    """Return `Fwd: subject`, once."""
    return subject if FORWARD.match(subject) else f"Fwd: {subject}"


def spelled(people: Sequence[Address]) -> str:
    """Return addresses as a person edits them: Name <local@host>, commas between."""
    return ", ".join(_spelled(person) for person in people)


def _spelled(person: Address) -> str:
    if not person.name:
        return person.addr
    name = person.name
    if re.search(r'[,;:<>@()\[\]"\\.]', name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{person.addr}>"


def answer_to(
    from_: Sequence[Address],
    reply_to: Sequence[Address],
    to: Sequence[Address],
    own: Sequence[str],
) -> list[Address]:
    """Return whom an answer goes to: for a letter of our own, those it went to."""
    mine = {address.casefold() for address in own}
    if from_ and all(person.addr.casefold() in mine for person in from_):
        return unique(to, ()) or list(from_)
    return unique(reply_to or from_, ())


def unique(people: Sequence[Address], without: Sequence[str]) -> list[Address]:
    """Return each address once, and none of `without`."""
    seen = {address.casefold() for address in without}
    kept: list[Address] = []
    for person in people:
        if person.addr and person.addr.casefold() not in seen:
            seen.add(person.addr.casefold())
            kept.append(person)
    return kept
