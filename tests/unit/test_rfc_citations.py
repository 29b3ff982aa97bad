"""docs/rfcs.tsv and the code agree on which RFCs are in force."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CITATION = re.compile(r"RFC (\d{3,5})")
IN_FORCE = {"yes", "partial"}
STATUSES = IN_FORCE | {"planned", "-"}


def listed() -> dict[str, str]:
    rows = (ROOT / "docs/rfcs.tsv").read_text("utf-8").splitlines()[1:]
    return {number: status for number, status, _title in (r.split("\t") for r in rows)}


def cited_in_code() -> set[str]:
    files = [
        path
        for part in ("mailhost", "accounts", "protocols")
        for path in (ROOT / part).rglob("*.py")
    ]
    return {n for p in files for n in CITATION.findall(p.read_text("utf-8"))}


def shown_by_a_transcript() -> set[str]:
    heads = (p.read_text("utf-8") for p in (ROOT / "tests/transcripts").glob("*/*.txt"))
    lines = re.findall(r"^rfc: (.*)$", "\n".join(heads), re.MULTILINE)
    return {n for line in lines for n in re.findall(r"\b(\d{3,5}) §", line)}


def test_every_status_is_one_of_four() -> None:
    assert set(listed().values()) <= STATUSES


def test_the_list_is_in_order() -> None:
    numbers = [int(number) for number in listed()]
    assert numbers == sorted(numbers)


def test_every_cited_rfc_is_listed() -> None:
    assert cited_in_code() <= set(listed())


def test_no_cited_rfc_is_only_planned() -> None:
    assert {n for n, s in listed().items() if s == "planned"} & cited_in_code() == set()


def test_every_rfc_in_force_is_cited() -> None:
    assert {n for n, s in listed().items() if s in IN_FORCE} <= cited_in_code()


def test_every_rfc_done_has_a_transcript() -> None:
    assert {n for n, s in listed().items() if s == "yes"} <= shown_by_a_transcript()
