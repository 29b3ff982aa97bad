"""Messages of every odd kind: NN-name.eml, what it reads as, and why it is there.

`python -m tests.unit.mime.test_golden` records missing .json files; each was then read
against the RFC that its .why names.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from mailhost.mime.addresses import Address
from mailhost.mime.message import Parsed, Part
from tests.unit.mime import sound

GOLDEN = Path(__file__).parents[2] / "golden" / "mime"
MESSAGES = sorted(GOLDEN.glob("*.eml"))


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_message(path: Path) -> None:
    parsed = sound.check(path.read_bytes())
    assert described(parsed) == json.loads(path.with_suffix(".json").read_text())


def test_each_says_why() -> None:
    assert len(MESSAGES) >= 30
    for path in MESSAGES:
        assert path.with_suffix(".why").read_text().strip()


def described(parsed: Parsed) -> dict[str, Any]:
    """Return the result as JSON can hold it; octets as Latin-1."""
    people = ("from_", "sender", "reply_to", "to", "cc", "bcc")
    found: dict[str, Any] = {
        "parts": [part_line(part) for part in parsed.root.walk()],
        "envelope": parsed.envelope.decode("latin-1"),
        "bodystructure": parsed.bodystructure.decode("latin-1"),
        "body": parsed.body.decode("latin-1"),
        "sent_at": parsed.sent_at.isoformat() if parsed.sent_at else None,
        "subject": parsed.subject,
        "base_subject": parsed.base_subject,
        "message_id": parsed.message_id,
        "in_reply_to": list(parsed.in_reply_to),
        "references": list(parsed.references),
        "preview": parsed.preview,
        "has_attachment": parsed.has_attachment,
    }
    if parsed.groups:
        found["groups"] = dict(parsed.groups)
    for name in people:
        if members := getattr(parsed, name):
            found[name] = [address_line(member) for member in members]
    return found


def address_line(address: Address) -> str:
    return f"{address.name} <{address.mailbox}@{address.host}>"


def part_line(part: Part) -> str:
    """Return section, type, ranges, lines and what else is set."""
    more = [f"{name}={value}" for name, value in part.parameters]
    if part.disposition:
        more.append(part.disposition)
    more += [f"filename={part.filename}"] if part.filename else []
    more += [f"id={part.content_id}"] if part.content_id else []
    header, body = "{}-{}".format(*part.header), "{}-{}".format(*part.body)
    return " ".join(
        [
            part.section or "top",
            f"{part.type}/{part.subtype}",
            part.encoding,
            f"header {header} body {body} lines {part.lines}",
            *more,
        ]
    )


def record() -> None:
    """Write the .json files that are missing."""
    for path in MESSAGES:
        target = path.with_suffix(".json")
        if not target.exists():
            found = described(sound.check(path.read_bytes()))
            target.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    record()
