"""A strict reader of IMAP values, and the rules of ENVELOPE and BODY over it.

RFC 9051 §9. It fails on anything that the grammar does not allow.
"""

import re
from typing import Any

QUOTED = re.compile(rb'"((?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]|\\["\\])*)"')
LITERAL = re.compile(rb"\{(0|[1-9]\d*)\}\r\n")
NUMBER = re.compile(rb"0|[1-9]\d*")


def read(octets: bytes) -> Any:
    """Return one value: bytes, int, None for NIL, or a list. It is the whole."""
    stack: list[list[Any]] = [[]]
    at = 0
    while at < len(octets):
        if octets[at : at + 1] == b"(":
            stack.append([])
            at += 1
        elif octets[at : at + 1] == b")":
            done = stack.pop()
            assert done, "empty list"
            stack[-1].append(done)
            at += 1
        else:
            value, at = _scalar(octets, at)
            stack[-1].append(value)
        at = _space(octets, at)
    assert len(stack) == 1, "unbalanced"
    assert len(stack[0]) == 1, "more than one value"
    return stack[0][0]


def _space(octets: bytes, at: int) -> int:
    """One space parts values; none stands after "(", before ")", or between lists."""
    if octets[at : at + 1] == b" ":
        assert octets[at - 1 : at] != b"("
        assert octets[at + 1 : at + 2] not in {b")", b" ", b""}
        return at + 1
    together = octets[at - 1 : at] == b"(" or octets[at : at + 1] in {b")", b""}
    assert together or octets[at - 1 : at + 1] == b")("
    return at


def _scalar(octets: bytes, at: int) -> tuple[Any, int]:
    if octets.startswith(b"NIL", at):
        return None, at + 3
    if match := QUOTED.match(octets, at):
        return re.sub(rb"\\(.)", rb"\1", match[1]), match.end()
    if match := LITERAL.match(octets, at):
        end = match.end() + int(match[1])
        value = octets[match.end() : end]
        assert b"\0" not in value
        assert end <= len(octets)
        return value, end
    match = NUMBER.match(octets, at)
    assert match, octets[at : at + 40]
    return int(match[0]), match.end()


def nstring(value: Any) -> None:
    assert value is None or isinstance(value, bytes)


def check_envelope(value: Any) -> None:
    """`value` is an envelope."""
    assert len(value) == 10
    for index, item in enumerate(value):
        if 2 <= index <= 7:
            assert item is None or isinstance(item, list)
            check_addresses(item or [])
        else:
            nstring(item)
    assert value[3] is not None or value[2] is None
    assert value[4] is not None or value[2] is None


def check_addresses(items: list[Any]) -> None:
    """Four nstrings each; groups open before they close, and close."""
    is_open = False
    for item in items:
        assert len(item) == 4
        for member in item:
            nstring(member)
        if item[3] is None:
            assert (item[2] is None) == is_open
            is_open = not is_open
        else:
            assert item[2] is not None
    assert not is_open


def check_parameters(value: Any) -> None:
    assert value is None or len(value) % 2 == 0
    assert all(isinstance(item, bytes) for item in value or [])


def check_body(value: Any, *, extended: bool) -> None:
    """`value` is a body; with extension data if extended, else without."""
    assert isinstance(value, list)
    if isinstance(value[0], list):
        count = next(n for n, item in enumerate(value) if not isinstance(item, list))
        for child in value[:count]:
            check_body(child, extended=extended)
        assert isinstance(value[count], bytes)
        rest = value[count + 1 :]
        assert len(rest) == (4 if extended else 0)
        if extended:
            check_parameters(rest[0])
            check_tail(rest[1:])
        return
    kind, subtype, parameters, id_, description, encoding, size, *rest = value
    assert all(isinstance(item, bytes) for item in (kind, subtype, encoding))
    assert kind.lower() != b"multipart"
    assert isinstance(size, int)
    check_parameters(parameters)
    nstring(id_)
    nstring(description)
    if kind.lower() == b"message" and subtype.lower() in {b"rfc822", b"global"}:
        envelope, body, lines, *rest = rest
        check_envelope(envelope)
        check_body(body, extended=extended)
        assert isinstance(lines, int)
    elif kind.lower() == b"text":
        lines, *rest = rest
        assert isinstance(lines, int)
    assert len(rest) == (4 if extended else 0)
    if extended:
        nstring(rest[0])
        check_tail(rest[1:])


def check_tail(rest: list[Any]) -> None:
    disposition, language, location = rest
    if disposition is not None:
        assert len(disposition) == 2
        assert isinstance(disposition[0], bytes)
        check_parameters(disposition[1])
    if isinstance(language, list):
        assert all(isinstance(item, bytes) for item in language)
    else:
        nstring(language)
    nstring(location)
