"""What a client may ask, chosen with dice and by what it knows.

Each action takes (client, dice) and returns a command that is valid, or None if there
is nothing to ask it of.
"""

from collections.abc import Callable, Sequence
from random import Random

from tests.imap_client.command import Change, Command, command
from tests.imap_client.cursor import to_utf7
from tests.imap_client.surroundings import Watching
from tests.imap_client.wire import Client
from tests.imap_model.letters import letter
from tests.imap_model.oracle import digest

Action = Callable[[Client, Random], Command | None]

FIXED = ("INBOX", "Work", "Täg & Nacht")
PASSING = ("Vol", "Vol/a", "Vol/a/b", "Other")  # created, renamed and deleted
FLAGS = (r"\Seen", r"\Answered", r"\Flagged", r"\Deleted", r"\Draft", "$Work", "Kw")
SEARCHES = (
    "ALL", "SEEN", "UNSEEN", "DELETED", "NOT FLAGGED", "OR FLAGGED DRAFT", "LARGER 500",
    "SUBJECT lunch", "TEXT report", "KEYWORD Kw", "SINCE 1-Nov-2026", "FROM a@",
    "SENTBEFORE 10-Nov-2026", "1:*", "UID 1:*", "(UNDELETED ANSWERED)",
)  # fmt: skip
BY_NUMBER_KEYS = {"1:*"}
ITEMS = (
    "FLAGS", "(UID FLAGS)", "(UID FLAGS INTERNALDATE RFC822.SIZE)", "ALL",
    "(UID ENVELOPE BODYSTRUCTURE)", "(BODY.PEEK[] UID)", "BODY.PEEK[TEXT]<3.9>",
    "(UID BODY.PEEK[])", "(UID BODY[])", "BODY[HEADER.FIELDS (SUBJECT DATE)]",
    "(EMAILID PREVIEW)",
)  # fmt: skip


def quoted(client: Client, name: str) -> str:
    """Write a mailbox name as this client has to."""
    return f'"{name if client.mode.utf8 else to_utf7(name)}"'


def may_number(client: Client) -> bool:
    """Tell whether message numbers are sure: nothing under way may move them."""
    return not client.mode.free and all(one.keeps_numbers for one in client.running)


def choose(
    dice: Random, among: Sequence[int], *, star: bool, ranges: bool = True
) -> tuple[str, list[int]]:
    """Return a sequence set, in one of its spellings, and what it names.

    `ranges`: there is nothing between two of `among`.
    """
    assert among
    how = dice.randrange(6) if ranges else 5
    if how == 0 and star:
        return "1:*", list(among)
    if how == 1 and star:
        return "*", [among[-1]]
    if how <= 3:
        low = dice.randrange(len(among))
        high = min(len(among) - 1, low + dice.randrange(4))
        ends = [among[low], among[high]]
        if how == 3:
            ends.reverse()
        return f"{ends[0]}:{ends[1]}", list(among[low : high + 1])
    some = sorted(dice.sample(among, min(len(among), dice.randint(1, 4))))
    return ",".join(map(str, some)), some


def target(client: Client, dice: Random) -> tuple[str, str, list[int]] | None:
    """Return ("UID " or "", a set, what it names), None: there is no message."""
    picture = client.picture
    if picture is None or not picture.entries:
        return None
    # What arrives is pushed to who asked for it: "*" may be another by now.
    is_quiet = not client.running and not (client.watching and client.watching.pushes)
    if may_number(client) and dice.random() < 0.5:
        numbers = range(1, len(picture.entries) + 1)
        return "", *choose(dice, numbers, star=is_quiet)
    uids = picture.uids
    if not uids:
        return None
    all_known = len(uids) == len(picture.entries)
    star = is_quiet and all_known
    return "UID ", *choose(dice, uids, star=star, ranges=all_known)


def noop(client: Client, dice: Random) -> Command | None:
    return command(dice.choice(("NOOP", "NOOP", "CHECK")) if client.picture else "NOOP")


def fetch(client: Client, dice: Random) -> Command | None:
    if (found := target(client, dice)) is None:
        return None
    uid, chosen, named = found
    items = [*ITEMS]
    if client.mode.condstore:
        items += ["(FLAGS MODSEQ)", "(UID FLAGS MODSEQ)"]
    return command(f"{uid}FETCH {chosen} {dice.choice(items)}", asks=tuple(named))


def fetch_changed(client: Client, dice: Random) -> Command | None:
    """Ask what changed; nothing has to be answered."""
    if (
        not client.mode.condstore
        or client.picture is None
        or not client.picture.entries
    ):
        return None
    since = max(0, client.picture.modseq - dice.randrange(20))
    more = " VANISHED" if client.mode.qresync and dice.random() < 0.5 else ""
    return command(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since}{more})")


def fetch_all(client: Client, dice: Random) -> Command | None:
    """Learn everything."""
    if client.picture is None or not client.picture.entries:
        return None
    modseq = " MODSEQ" if client.mode.condstore else ""
    if may_number(client):
        return command(f"FETCH 1:* (UID FLAGS{modseq})")
    return command(f"UID FETCH 1:* (UID FLAGS{modseq})")


def store(client: Client, dice: Random) -> Command | None:
    if (found := target(client, dice)) is None or client.picture is None:
        return None
    uid, chosen, named = found
    sign = dice.choice(("", "+", "+", "-"))
    flags = dice.sample(FLAGS, dice.choice((0, 1, 1, 1, 2, 3)))
    silent = dice.random() < 0.5
    since = ""
    if client.mode.condstore and dice.random() < 0.4:
        since = f"(UNCHANGEDSINCE {max(1, client.picture.modseq - dice.randrange(5))}) "
    change = Change(
        sign, frozenset(flags), silent,
        uids=named if uid else None, numbers=None if uid else named,
    )  # fmt: skip
    word = f"{sign}FLAGS{'.SILENT' * silent}"
    return command(
        f"{uid}STORE {chosen} {since}{word} ({' '.join(flags)})", change=change
    )


def delete_some(client: Client, dice: Random) -> Command | None:
    """Flag messages so that an EXPUNGE has work."""
    if (found := target(client, dice)) is None:
        return None
    uid, chosen, named = found
    change = Change(
        "+", frozenset({r"\Deleted"}), silent=True,
        uids=named if uid else None, numbers=None if uid else named,
    )  # fmt: skip
    return command(f"{uid}STORE {chosen} +FLAGS.SILENT (\\Deleted)", change=change)


def expunge(client: Client, dice: Random) -> Command | None:
    if client.picture is None:
        return None
    uids = client.picture.uids
    if uids and dice.random() < 0.4:
        return command(f"UID EXPUNGE {choose(dice, uids, star=False)[0]}")
    return command("EXPUNGE")


def copy(client: Client, dice: Random) -> Command | None:
    if (found := target(client, dice)) is None:
        return None
    uid, chosen, _ = found
    verb = dice.choice(("COPY", "COPY", "MOVE"))
    name = dice.choice((*FIXED, *FIXED, *PASSING))
    return command(f"{uid}{verb} {chosen} {quoted(client, name)}", target=name)


def append(client: Client, dice: Random) -> Command | None:
    name = dice.choice((*FIXED, *FIXED, dice.choice(PASSING)))
    if client.picture is not None and dice.random() < 0.5:
        name = client.picture.name
    letters = [letter(dice) for _ in range(dice.choice((1, 1, 1, 3)))]
    parts = [f" {quoted(client, name)}".encode()]
    waits = dice.random() < 0.3
    for octets in letters:
        flags = " ".join(dice.sample(FLAGS, dice.randrange(3)))
        date = ' "17-Nov-2026 02:44:25 -0700"' if dice.random() < 0.3 else ""
        mark = b"" if waits else b"+"
        parts[-1] += f" ({flags}){date} ".encode() + b"{%d%b}\r\n" % (len(octets), mark)
        if waits:
            parts.append(octets)
        else:
            parts[-1] += octets
    digests = tuple(map(digest, letters))
    return Command("APPEND", parts, target=name, digests=digests)


def search(client: Client, dice: Random) -> Command | None:
    if client.picture is None:
        return None
    uid = "" if may_number(client) and dice.random() < 0.5 else "UID "
    # A UID command does not hold numbers still: no numbers in its keys.
    keys = [key for key in SEARCHES if not (uid and key in BY_NUMBER_KEYS)]
    options = dice.choice(("", "", "RETURN (MIN MAX COUNT) ", "RETURN (ALL) "))
    return command(f"{uid}SEARCH {options}{dice.choice(keys)}")


def arrange(client: Client, dice: Random) -> Command | None:
    """SORT or THREAD, where announced."""
    if client.picture is None:
        return None
    uid = "" if may_number(client) and dice.random() < 0.5 else "UID "
    wanted = []
    if "SORT" in client.capabilities:
        keys = ("ARRIVAL", "REVERSE DATE", "SUBJECT", "FROM SIZE", "REVERSE SUBJECT TO")
        wanted.append(f"{uid}SORT ({dice.choice(keys)}) UTF-8 UNDELETED")
    wanted += [
        f"{uid}THREAD {name[7:]} UTF-8 ALL"
        for name in sorted(client.capabilities)
        if name.startswith("THREAD=")
    ]
    return command(dice.choice(wanted)) if wanted else None


def status(client: Client, dice: Random) -> Command | None:
    name = dice.choice((*FIXED, *PASSING))
    modseq = " HIGHESTMODSEQ" if client.mode.condstore else ""
    return command(
        f"STATUS {quoted(client, name)} (MESSAGES UNSEEN UIDNEXT UIDVALIDITY{modseq})"
    )


def select(client: Client, dice: Random) -> Command | None:
    name = dice.choice((*FIXED, *FIXED, *PASSING))
    verb = dice.choice(("SELECT", "SELECT", "SELECT", "EXAMINE"))
    return command(f"{verb} {quoted(client, name)}", target=name)


def close(client: Client, dice: Random) -> Command | None:
    if client.picture is None:
        return None
    return command(dice.choice(("CLOSE", "UNSELECT")))


def manage(client: Client, dice: Random) -> Command | None:
    """Create, delete or rename a mailbox; refusals are fine."""
    name, other = dice.sample(PASSING, 2)
    verb = dice.choice(("CREATE", "CREATE", "CREATE", "DELETE", "RENAME"))
    if verb == "RENAME":
        name = dice.choice((name, name, name, "INBOX"))
        both = f"{quoted(client, name)} {quoted(client, other)}"
        return command(f"RENAME {both}", target=name, onto=other)
    return command(f"{verb} {quoted(client, name)}", target=name)


def list_all(client: Client, dice: Random) -> Command | None:
    returned = dice.choice(("", " RETURN (SUBSCRIBED)", " RETURN (STATUS (MESSAGES))"))
    return command(dice.choice((f'LIST "" *{returned}', 'XLIST "" *')))


def language(client: Client, dice: Random) -> Command | None:
    return command(
        f"LANGUAGE {dice.choice(('de', 'fr', 'es', 'default', 'x-y de-AT'))}"
    )


def idle(client: Client, dice: Random) -> Command | None:
    return command("IDLE")


NOTHING = Watching("NONE", others=False)
MESSAGES = "(MessageNew MessageExpunge FlagChange)"


def notify(client: Client, dice: Random) -> Command | None:
    """Ask to be told; some want nothing of the selected mailbox, for a while."""
    if dice.random() < 0.1:
        return command("NOTIFY NONE", watching=NOTHING)
    how = dice.choice(("SELECTED", "SELECTED-DELAYED", "SELECTED-DELAYED", "NONE"))
    watching = Watching(how, others=dice.random() < 0.6 and knows_where(client))
    return notify_set(watching, dice.choice(("", "", " (UID FLAGS)", " (ENVELOPE)")))


def knows_where(client: Client) -> bool:
    """Tell whether the selected mailbox has the name that it was selected by."""
    return client.picture is None or client.picture.name in FIXED


def notify_set(watching: Watching, attributes: str = "") -> Command:
    """Return the NOTIFY that asks for this."""
    groups = []
    if watching.pushes:
        events = f"MessageNew{attributes} MessageExpunge FlagChange"
        groups.append(f"({watching.selected} ({events}))")
    elif not watching.others or attributes:
        groups.append("(SELECTED NONE)")
    if watching.others:
        groups.append(f"(personal (MailboxName {MESSAGES[1:]})")
    return command(f"NOTIFY SET STATUS {' '.join(groups)}", watching=watching)


# How often, relative to each other.
ACTIONS: dict[Action, int] = {
    noop: 8, fetch: 14, fetch_changed: 3, fetch_all: 6, store: 14, delete_some: 5,
    expunge: 5, copy: 8, append: 10, search: 6, arrange: 4, status: 3, select: 5,
    close: 1, manage: 2, list_all: 1, language: 1, idle: 4, notify: 3,
}  # fmt: skip
ALONE: tuple[Action, ...] = (select, close, manage, idle, notify)  # never pipelined


def some_action(client: Client, dice: Random) -> tuple[Action, Command]:
    """Return an action that can be done now."""
    while True:
        action = dice.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        if (made := action(client, dice)) is not None:
            return action, made
