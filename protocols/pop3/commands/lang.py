"""LANG [range]. RFC 6856 §3."""

from dataclasses import dataclass
from typing import Self

from protocols.common.wording import DEFAULT, chosen
from protocols.pop3.actions import Action, Pages, Say
from protocols.pop3.commands.base import text
from protocols.pop3.errors import Refused
from protocols.pop3.replies import multi_line, ok, speak
from protocols.pop3.session import Session
from protocols.pop3.wording import NAMES, in_language


@dataclass(frozen=True, slots=True)
class Lang:
    """Choose the language of what people read; without a range, list them."""

    wanted: str

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        return cls(text(arguments.strip()) if arguments.strip() else "")

    def run(self, session: Session) -> Action:
        if not self.wanted:
            listed = (f"{tag} {name}" for tag, name in NAMES.items())
            return Pages(multi_line("Languages follow", listed))
        found = chosen(self.wanted)
        if found is None:
            raise Refused("There is no such language")
        tag = "en" if found == DEFAULT else found
        session.language = tag
        speak(tag)
        return Say(ok(f"{tag} {in_language(tag, 'The language is changed')}"))
