"""Limits hold, and the work is linear in the octets."""

import time
from collections.abc import Callable

import pytest

from mailhost.mime import headers, limits, subjects
from mailhost.mime.html import to_text
from mailhost.mime.message import parse
from mailhost.mime.search_text import body_texts, part_fields
from mailhost.mime.tree import Tree
from tests.unit.mime import sound

MULTIPART = b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n"
EMBEDDED = b"Content-Type: message/rfc822\r\n\r\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"


def depth_of(octets: bytes) -> int:
    part, depth = sound.check(octets).root, 0
    while part.children:
        part, depth = part.children[0], depth + 1
    return depth


def test_500_multiparts_inside_each_other() -> None:
    octets = b"".join(MULTIPART % (b"b%d" % n, b"b%d" % n) for n in range(500))
    assert depth_of(octets + b"\r\nleaf\r\n") == limits.MAX_DEPTH


def test_500_messages_inside_each_other() -> None:
    octets = (b"Subject: x\r\n" + EMBEDDED) * 500 + b"\r\nleaf\r\n"
    assert depth_of(octets) == limits.MAX_DEPTH


def test_a_composite_part_below_the_last_level_is_opaque() -> None:
    part = parse(EMBEDDED * 500).root
    while part.children:
        part = part.children[0]
    assert (part.type, part.subtype) == ("application", "octet-stream")
    assert part.body[1] == len(EMBEDDED) * 500


def test_99_levels_are_read() -> None:
    assert depth_of(EMBEDDED * 99 + b"\r\nx") == 99


def test_parts_over_the_limit_stay_in_the_last_one() -> None:
    octets = MIXED + b"--b\n\nx\n" * 12_000 + b"--b--\n"
    root = sound.check(octets).root
    assert len(root.children) == limits.MAX_PARTS - 1
    assert octets[slice(*root.children[-1].body)].endswith(b"--b\n\nx\n--b--\n")


def test_parts_of_all_levels_count_together() -> None:
    inner = b"Content-Type: multipart/mixed; boundary=i\n\n" + b"--i\n" * 9_000
    octets = MIXED + (b"--b\n" + inner) * 3
    assert sum(1 for _ in parse(octets).root.walk()) <= limits.MAX_PARTS + 1


def test_delimiters_are_looked_for_within_a_budget() -> None:
    tree = Tree(b"".join(MULTIPART % (b"b%d" % n, b"b%d" % n) for n in range(90)))
    looked = len(tree.octets) * 90
    assert looked < limits.SCAN_LEAST
    tree.octets += b"x" * (limits.SCAN_LEAST // 2)
    tree.read()
    assert tree.budget < 0  # the deepest levels are opaque, the work is bounded
    assert tree.budget > -len(tree.octets)


def test_a_header_over_the_limit_is_still_the_header() -> None:
    octets = b"A: 1\r\n" * 60_000 + b"Subject: late\r\n\r\nbody"
    parsed = sound.check(octets)
    assert parsed.header == octets[:-4]
    assert parsed.subject == ""


def test_many_addresses_and_references_are_cut() -> None:
    octets = b"To: " + b"a@b," * 20_000 + b"\r\nReferences: " + b"<a@b> " * 900
    parsed = sound.check(octets + b"\r\n\r\n")
    assert len(parsed.to) == limits.MAX_ADDRESSES
    assert len(parsed.references) == limits.MAX_REFERENCES


def test_search_text_is_cut() -> None:
    octets = MIXED + (b"--b\n\n" + b"word " * 300_000 + b"\n") * 4
    found = list(body_texts(lambda a, b: octets[a:b], parse(octets).root))
    assert 3 * 1_500_000 > sum(map(len, found)) > limits.MAX_SEARCHABLE - 4
    assert sum(map(len, found)) <= limits.MAX_SEARCHABLE


def test_fields_of_parts_are_cut() -> None:
    octets = MIXED + (b"--b\nX: " + b"x" * 998 + b"\n\ntext\n") * 1_000
    found = list(part_fields(lambda a, b: octets[a:b], parse(octets).root))
    assert 0 < sum(len(value) for _, value in found) < limits.MAX_HEADER + 1_000


def field(name: bytes, piece: bytes) -> Callable[[int], object]:
    return lambda n: parse(name + b": " + piece * n + b"\n\nx")


HOSTILE: dict[str, Callable[[int], object]] = {
    "near delimiters": lambda n: parse(MIXED + b"\n--bX" * n),
    "bare delimiters": lambda n: parse(MIXED + b"--b\n" * n),
    "dashes": lambda n: parse(MIXED + b"-" * n),
    "spaces after a delimiter": lambda n: parse(MIXED + b"\n--b" + b" " * n + b"x"),
    "line ends": lambda n: parse(b"A: b" + b"\r\n" * n),
    "carriage returns": lambda n: parse(b"A: b\n" + b"\r" * n),
    "continuations": lambda n: parse(b"A: b\n" + b" x\n" * n),
    "names": lambda n: parse(b"a" * n),
    "To fields": lambda n: parse(b"To: a@b\n" * n),
    "opened words": field(b"Subject", b"=?"),
    "half words": field(b"Subject", b"=?a?b?"),
    "words": field(b"Subject", b"=?utf-8?q?a?= "),
    "blobs": lambda n: subjects.base_subject("[a]" * n + "x"),
    "replies": lambda n: subjects.base_subject("re:[a]" * n),
    "trailers": lambda n: subjects.base_subject("a" + "(fwd) " * n),
    "forwards": lambda n: subjects.base_subject("[fwd:" * n + "]" * n),
    "comments": field(b"To", b"("),
    "closed comments": field(b"To", b"(a)"),
    "quotes": field(b"To", b'"'),
    "quoted pairs": field(b"To", b'"\\'),
    "angles": field(b"To", b"<"),
    "groups": field(b"To", b"a:"),
    "colons after an address": field(b"To", b"a @ :"),
    "at signs": field(b"To", b"@"),
    "brackets": field(b"To", b"["),
    "spaces": field(b"To", b" a"),
    "type comments": field(b"Content-Type", b"("),
    "type semicolons": lambda n: parse(b"Content-Type: a/b" + b";" * n),
    "type spaces": lambda n: parse(b"Content-Type: a/b" + b"; " * n),
    "type sections": lambda n: parse(b"Content-Type: a/b" + b";a*0=b" * n),
    "ids": field(b"References", b"<a"),
    "html opened": lambda n: to_text("<" * n),
    "html comments": lambda n: to_text("<!--" * n),
    "html scripts": lambda n: to_text("<script>" * n),
    "html cells": lambda n: to_text("</td>" * n),
    "html entities": lambda n: to_text("&" * n + "&#" + "9" * n),
    "html blanks": lambda n: to_text("<p> " * n),
    "select": lambda n: headers.select(b"A" * n + b"\n" + b"A : b\n" * n, [b"a"]),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_is_linear(name: str) -> None:
    # Twelve times the octets: twelve times the work, 144 times if it were quadratic.
    small, large = (seconds(HOSTILE[name], n) for n in (3_000, 36_000))
    assert large < 50 * max(small, 0.0005)


def seconds(work: Callable[[int], object], size: int) -> float:
    """Return the least of a few runs, in the processor's time."""
    least = 9.0
    for _ in range(3):
        begin = time.process_time()
        work(size)
        least = min(least, time.process_time() - begin)
    return least
