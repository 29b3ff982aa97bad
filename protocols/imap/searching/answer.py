"""The answers to searching commands: SEARCH, SORT and ESEARCH. RFC 9051 §7.3.4."""

from collections.abc import Sequence

from protocols.imap.responses import quoted, untagged
from protocols.imap.searching.options import Options
from protocols.imap.searching.program import Found, Program
from protocols.imap.selected import Selected
from protocols.imap.sequence import written
from protocols.imap.session import Session


def answer(
    session: Session, selected: Selected, program: Program, found: Found
) -> bytes:
    """Return the response for the selected mailbox; empty if none is wanted."""
    options = program.options
    if options is None and program.criteria is None and session.rev2:
        options = Options()  # RFC 9051 §7.3.4
    if options is None:
        name = "SEARCH" if program.criteria is None else "SORT"
        told = " ".join([name, *map(str, _numbers(selected, program, found.rows))])
        modseq = _highest(selected, program, found.rows)
        return untagged(f"{told} (MODSEQ {modseq})" if modseq else told)
    if options == Options(frozenset({"SAVE"})):
        return b""
    return esearch(session, selected, program, options, found)


def esearch(
    session: Session,
    selected: Selected,
    program: Program,
    options: Options,
    found: Found,
    where: str = "",
) -> bytes:
    """Write ESEARCH. `where`: more correlators, with a space before. RFC 7377 §2.1."""
    numbers = _numbers(selected, program, found.rows)
    parts = [f"ESEARCH (TAG {quoted(session.tag)}{where})"]
    if program.by_uid:
        parts.append("UID")
    if numbers:
        if "MIN" in options:
            parts.append(f"MIN {numbers[0]}")
        if "MAX" in options:
            parts.append(f"MAX {numbers[-1]}")
        if "ALL" in options:
            parts.append(f"ALL {written(numbers)}")
    if "COUNT" in options:
        parts.append(f"COUNT {len(numbers)}")
    rows = found.rows
    if options.partial:
        some = written(options.partial.of(numbers)) or "NIL"
        parts.append(f"PARTIAL ({options.partial.written} {some})")
        rows = options.partial.of(rows)
    if "RELEVANCY" in options:
        shown = " ".join(str(found.scores[i]) for i in rows)
        parts.append(f"RELEVANCY ({shown})")
    modseq = _highest(selected, program, options.chosen(found.rows))
    if modseq:
        parts.append(f"MODSEQ {modseq}")
    return untagged(" ".join(parts))


def _highest(selected: Selected, program: Program, rows: Sequence[int]) -> int:
    if not program.asks_modseq:
        return 0
    return max((selected.now.modseqs[i] for i in rows), default=0)


def _numbers(
    selected: Selected, program: Program, rows: Sequence[int]
) -> Sequence[int]:
    """Return the UIDs or message numbers of rows."""
    uids = selected.now.uids
    if program.by_uid:
        return [uids[i] for i in rows]
    if selected.aligned:
        return [i + 1 for i in rows]
    found = (selected.position(uids[i]) for i in rows)
    return [n + 1 for n in found if n is not None]
