"""docs/settings.md from the comments of the settings file, so that they are one."""

import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).with_name("settings.py")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
READS = re.compile(r'read\.\w+\(\s*"([A-Z_]+)"|read\.raw\("([A-Z_]+)"\)')
HEAD = """# Settings

Made from `mailhost/settings.py` by `python manage.py settingsdoc`; do not edit.

Set them in the environment, or in a file `.env` beside `manage.py` (one `NAME=value`
a line; the environment wins). `.env.example` is a start. A wrong value stops the start
with one sentence that names the setting.
"""


def page(source: str) -> str:
    """Return the page for the text of a settings file."""
    parts = [HEAD]
    for heading, name, text in entries(source):
        if heading:
            parts.append(f"\n## {heading}\n")
        if name:
            parts.append(f"\n### {name}\n\n{text}\n")
    return "".join(parts)


def entries(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield (heading, "", "") and ("", setting, comment) in the order of the file."""
    for block in re.split(r"\n{2,}", source):
        comment = [line for line in block.splitlines() if line.startswith("#")]
        code = "\n".join(line for line in block.splitlines() if line[:1] != "#")
        if comment and comment[0].startswith("# ## "):
            if comment[0].startswith("# ## End"):
                return
            yield comment[0].removeprefix("# ## "), "", ""
        elif names := names_read(code):
            text = "\n".join(line.removeprefix("#").strip() for line in comment)
            yield "", names[0], text


def names_read(code: str) -> list[str]:
    """Return the settings that a piece of code takes from the environment."""
    return [first or second for first, second in READS.findall(code)]


def undocumented(source: str) -> list[str]:
    """Return the settings that are read and not described."""
    described = {name for _, name, text in entries(source) if text}
    return sorted(set(names_read(source)) - described)
