"""Every command the server knows: one row each, and one file each beside this one.

A row says all that the connection must know before it runs the command. To add a
command, add its file and its row; nothing else lists commands.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from protocols.imap.commands.append import Append
from protocols.imap.commands.authenticate import Authenticate
from protocols.imap.commands.base import Command
from protocols.imap.commands.cancelupdate import CancelUpdate
from protocols.imap.commands.capability import Capability
from protocols.imap.commands.close import Close, Unselect
from protocols.imap.commands.compress import CompressCommand
from protocols.imap.commands.copy import Copy
from protocols.imap.commands.create import Create
from protocols.imap.commands.delete import Delete
from protocols.imap.commands.deleteacl import Deleteacl
from protocols.imap.commands.enable import Enable
from protocols.imap.commands.esearch import Esearch
from protocols.imap.commands.expunge import Expunge
from protocols.imap.commands.fetch import Fetch
from protocols.imap.commands.genurlauth import Genurlauth
from protocols.imap.commands.getacl import Getacl
from protocols.imap.commands.getmetadata import Getmetadata
from protocols.imap.commands.getquota import Getquota
from protocols.imap.commands.getquotaroot import Getquotaroot
from protocols.imap.commands.id import Id
from protocols.imap.commands.idle import Idle
from protocols.imap.commands.language import Language
from protocols.imap.commands.list import List
from protocols.imap.commands.listrights import Listrights
from protocols.imap.commands.login import LoginCommand
from protocols.imap.commands.logout import Logout
from protocols.imap.commands.lsub import Lsub
from protocols.imap.commands.move import Move
from protocols.imap.commands.myrights import Myrights
from protocols.imap.commands.namespace import Namespace
from protocols.imap.commands.noop import Noop
from protocols.imap.commands.notify import Notify
from protocols.imap.commands.rename import Rename
from protocols.imap.commands.replace import Replace
from protocols.imap.commands.resetkey import Resetkey
from protocols.imap.commands.search import Search
from protocols.imap.commands.select import Select
from protocols.imap.commands.setacl import Setacl
from protocols.imap.commands.setmetadata import Setmetadata
from protocols.imap.commands.setquota import Setquota
from protocols.imap.commands.starttls import Starttls
from protocols.imap.commands.status import Status
from protocols.imap.commands.store import Store
from protocols.imap.commands.subscribe import Subscribe
from protocols.imap.commands.thread import Thread
from protocols.imap.commands.unauthenticate import Unauthenticate
from protocols.imap.commands.urlfetch import Urlfetch
from protocols.imap.commands.xlist import Xlist
from protocols.imap.parser import Parser
from protocols.imap.session import State


class Tells(enum.Enum):
    """What of other sessions' changes may be told with a command. RFC 9051 §7.5.1."""

    NOTHING = enum.auto()
    NO_EXPUNGE = enum.auto()  # it uses message numbers: they must not move
    ALL = enum.auto()


class Needs(enum.Enum):
    """The most that a command asks of the database."""

    NONE = 0
    READ = 1
    WRITE = 2


@dataclass(frozen=True, slots=True)
class Row:
    """`parse` reads what follows the name; `states` are those it is allowed in."""

    parse: Callable[[Parser], Command]
    states: State
    tells: Tells = Tells.ALL
    needs: Needs = Needs.NONE


ANY, FRESH, KNOWN = State.ANY, State.NOT_AUTHENTICATED, State.KNOWN
SELECTED = State.SELECTED
NOTHING, NO_EXPUNGE, ALL = Tells.NOTHING, Tells.NO_EXPUNGE, Tells.ALL
READ, WRITE = Needs.READ, Needs.WRITE

COMMANDS: dict[str, Row] = {
    "CAPABILITY":   Row(Capability.parse, ANY),
    "NOOP":         Row(Noop.parse, ANY),
    "LOGOUT":       Row(Logout.parse, ANY, NOTHING),
    "ID":           Row(Id.parse, ANY, ALL, READ),
    "LANGUAGE":     Row(Language.parse, ANY, ALL, READ),
    "STARTTLS":     Row(Starttls.parse, FRESH, NOTHING),
    "LOGIN":        Row(LoginCommand.parse, FRESH, NOTHING, READ),
    "AUTHENTICATE": Row(Authenticate.parse, FRESH, NOTHING, READ),
    "ENABLE":       Row(Enable.parse, KNOWN),
    "SELECT":       Row(Select.parse, KNOWN, NOTHING, WRITE),
    "EXAMINE":      Row(Select.parse_examine, KNOWN, NOTHING, READ),
    "CREATE":       Row(Create.parse, KNOWN, ALL, WRITE),
    "DELETE":       Row(Delete.parse, KNOWN, NOTHING, WRITE),
    "RENAME":       Row(Rename.parse, KNOWN, ALL, WRITE),
    "SUBSCRIBE":    Row(Subscribe.parse, KNOWN, ALL, WRITE),
    "UNSUBSCRIBE":  Row(Subscribe.parse_un, KNOWN, ALL, WRITE),
    "LIST":         Row(List.parse, KNOWN, ALL, READ),
    "LSUB":         Row(Lsub.parse, KNOWN, ALL, READ),
    "XLIST":        Row(Xlist.parse, KNOWN, ALL, READ),
    "NAMESPACE":    Row(Namespace.parse, KNOWN, ALL, READ),
    "STATUS":       Row(Status.parse, KNOWN, ALL, READ),
    "NOTIFY":       Row(Notify.parse, KNOWN, ALL, READ),
    "SETACL":       Row(Setacl.parse, KNOWN, ALL, WRITE),
    "DELETEACL":    Row(Deleteacl.parse, KNOWN, ALL, WRITE),
    "GETACL":       Row(Getacl.parse, KNOWN, ALL, READ),
    "LISTRIGHTS":   Row(Listrights.parse, KNOWN, ALL, READ),
    "MYRIGHTS":     Row(Myrights.parse, KNOWN, ALL, READ),
    "GETMETADATA":  Row(Getmetadata.parse, KNOWN, ALL, READ),
    "SETMETADATA":  Row(Setmetadata.parse, KNOWN, ALL, WRITE),
    "GETQUOTA":     Row(Getquota.parse, KNOWN, ALL, READ),
    "GETQUOTAROOT": Row(Getquotaroot.parse, KNOWN, ALL, READ),
    "SETQUOTA":     Row(Setquota.parse, KNOWN, ALL, WRITE),
    "APPEND":       Row(Append.parse, KNOWN, ALL, WRITE),
    "UNAUTHENTICATE": Row(Unauthenticate.parse, KNOWN, NOTHING),
    "COMPRESS":     Row(CompressCommand.parse, KNOWN, NOTHING),
    "REPLACE":      Row(Replace.parse, SELECTED, ALL, WRITE),
    "UID REPLACE":  Row(Replace.parse_uid, SELECTED, ALL, WRITE),
    "GENURLAUTH":   Row(Genurlauth.parse, KNOWN, ALL, WRITE),
    "RESETKEY":     Row(Resetkey.parse, KNOWN, ALL, WRITE),
    "URLFETCH":     Row(Urlfetch.parse, KNOWN, ALL, READ),
    "IDLE":         Row(Idle.parse, KNOWN, ALL),
    "CHECK":        Row(Noop.parse, SELECTED),
    "CLOSE":        Row(Close.parse, SELECTED, NOTHING, WRITE),
    "UNSELECT":     Row(Unselect.parse, SELECTED, NOTHING),
    "EXPUNGE":      Row(Expunge.parse, SELECTED, ALL, WRITE),
    "UID EXPUNGE":  Row(Expunge.parse_uid, SELECTED, ALL, WRITE),
    "SEARCH":       Row(Search.parse, SELECTED, NO_EXPUNGE, READ),
    "UID SEARCH":   Row(Search.parse_uid, SELECTED, ALL, READ),
    "SORT":         Row(Search.parse_sort, SELECTED, NO_EXPUNGE, READ),
    "UID SORT":     Row(Search.parse_uid_sort, SELECTED, ALL, READ),
    "THREAD":       Row(Thread.parse, SELECTED, NO_EXPUNGE, READ),
    "UID THREAD":   Row(Thread.parse_uid, SELECTED, ALL, READ),
    "ESEARCH":      Row(Esearch.parse, KNOWN, ALL, READ),
    "CANCELUPDATE": Row(CancelUpdate.parse, SELECTED),
    "FETCH":        Row(Fetch.parse, SELECTED, NO_EXPUNGE, WRITE),
    "UID FETCH":    Row(Fetch.parse_uid, SELECTED, ALL, WRITE),
    "STORE":        Row(Store.parse, SELECTED, NO_EXPUNGE, WRITE),
    "UID STORE":    Row(Store.parse_uid, SELECTED, ALL, WRITE),
    "COPY":         Row(Copy.parse, SELECTED, ALL, WRITE),
    "UID COPY":     Row(Copy.parse_uid, SELECTED, ALL, WRITE),
    "MOVE":         Row(Move.parse, SELECTED, ALL, WRITE),
    "UID MOVE":     Row(Move.parse_uid, SELECTED, ALL, WRITE),
}  # fmt: skip


def uses_numbers(name: str) -> bool:
    """Tell whether a command takes or tells message numbers: its UID form does not."""
    return f"UID {name}" in COMMANDS and name != "EXPUNGE"
