"""The commands: one file each, one row each. To add one: add its file and its row."""

from collections.abc import Callable
from dataclasses import dataclass

from protocols.pop3.commands.auth import Auth
from protocols.pop3.commands.base import Command
from protocols.pop3.commands.capa import Capa
from protocols.pop3.commands.dele import Dele
from protocols.pop3.commands.lang import Lang
from protocols.pop3.commands.list import List
from protocols.pop3.commands.noop import Noop
from protocols.pop3.commands.password import Pass
from protocols.pop3.commands.quit import Quit
from protocols.pop3.commands.retr import Retr
from protocols.pop3.commands.rset import Rset
from protocols.pop3.commands.stat import Stat
from protocols.pop3.commands.stls import Stls
from protocols.pop3.commands.top import Top
from protocols.pop3.commands.uidl import Uidl
from protocols.pop3.commands.user import User
from protocols.pop3.commands.utf8 import Utf8
from protocols.pop3.session import State


@dataclass(frozen=True, slots=True)
class Row:
    """What the connection enforces."""

    parse: Callable[[bytes], Command]
    states: State


LOGIN = State.AUTHORIZATION
MAIL = State.TRANSACTION
BOTH = LOGIN | MAIL

COMMANDS: dict[bytes, Row] = {
    b"AUTH": Row(Auth.parse, LOGIN),
    b"CAPA": Row(Capa.parse, BOTH),
    b"DELE": Row(Dele.parse, MAIL),
    b"LANG": Row(Lang.parse, BOTH),
    b"LIST": Row(List.parse, MAIL),
    b"NOOP": Row(Noop.parse, MAIL),
    b"PASS": Row(Pass.parse, LOGIN),
    b"QUIT": Row(Quit.parse, BOTH),
    b"RETR": Row(Retr.parse, MAIL),
    b"RSET": Row(Rset.parse, MAIL),
    b"STAT": Row(Stat.parse, MAIL),
    b"STLS": Row(Stls.parse, LOGIN),
    b"TOP": Row(Top.parse, MAIL),
    b"UIDL": Row(Uidl.parse, MAIL),
    b"USER": Row(User.parse, LOGIN),
    b"UTF8": Row(Utf8.parse, LOGIN),
}
