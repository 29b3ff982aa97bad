"""What has to hold when all clients have come to rest."""

from tests.imap_client.picture import Picture, Violation
from tests.imap_client.wire import Client
from tests.imap_model.actions import quoted
from tests.imap_model.oracle import Oracle
from tests.imap_model.truth import FolderTruth

Truth = dict[str, FolderTruth]


def learn_rest(client: Client, truth: Truth) -> None:
    """Ask for what was never told; then nothing is unknown."""
    picture = client.picture
    if picture is None or not picture.entries or client.bye:
        return
    modseq = " MODSEQ" if client.mode.condstore else ""
    client.ok(f"FETCH 1:* (UID FLAGS{modseq})")
    if not picture.is_complete:
        raise Violation(f"{client.name}: FETCH 1:* left messages out")
    if wrong := differs(client, truth):
        raise Violation(wrong)
    _check_searches(client, picture)


def _check_searches(client: Client, picture: Picture) -> None:
    for key, flag in (("SEEN", "\\Seen"), ("KEYWORD Kw", "Kw"), ("ALL", "")):
        done = client.ok(f"UID SEARCH RETURN (ALL COUNT) {key}")
        found = done.told("ESEARCH")[0].value
        wanted = [e.uid for e in picture.entries if not flag or flag in (e.flags or ())]
        if found.get("ALL", []) != wanted or found["COUNT"] != len(wanted):
            raise Violation(f"{client.name}: SEARCH {key}: {found}, not {wanted}")


def check_oracle(oracle: Oracle, truth: Truth) -> None:
    oracle.settle()
    for name, folder in truth.items():
        for uid, sha in folder.digests.items():
            place = (folder.uid_validity, uid)
            if oracle.contents.setdefault(place, sha) != sha:
                raise Violation(f"{name}: message {uid} is another one")
        told = oracle.next_uid.get(folder.uid_validity, 0)
        if folder.uid_next < told:
            raise Violation(f"{name}: UIDNEXT {folder.uid_next}, and {told} was told")


def check_counts(client: Client, truth: Truth) -> None:
    """STATUS and LIST tell the rows too."""
    done = client.ok('LIST "" "*"')
    names = {
        one.value["name"]
        for one in done.told("LIST")
        if b"\\noselect" not in one.value["attributes"]
        and b"\\nonexistent" not in one.value["attributes"]
    }
    if names != set(truth):
        raise Violation(f"LIST {sorted(names)}, in truth {sorted(truth)}")
    for name, folder in truth.items():
        items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE MAILBOXID"
        if client.mode.condstore:
            items += " HIGHESTMODSEQ"
        done = client.ok(f"STATUS {quoted(client, name)} ({items})")
        told = done.told("STATUS")[0].value[1]
        wanted = counts(folder)
        if {k: wanted[k] for k in told} != told:
            raise Violation(f"STATUS of {name}: {told}, in truth {wanted}")


def differs(client: Client, truth: Truth, *, pushed: bool = False) -> str | None:
    """Return how what a client knows differs from the rows, or None.

    `pushed`: only what it has to be told without a command.
    """
    if client.bye:
        return None
    if wrong := _differs_around(client, truth):
        return f"{client.name}: {wrong}"
    picture = client.picture
    if picture is None or not _has_to_know(client, pushed=pushed):
        return None
    found = [f for f in truth.values() if f.uid_validity == picture.uid_validity]
    if not found:
        return f"{client.name}: {picture.name} is no more"
    if picture.modseq > found[0].modseq:
        return f"{client.name}: HIGHESTMODSEQ {picture.modseq} > {found[0].modseq}"
    wrong = picture.compare(found[0].messages)
    return wrong and f"{client.name}: {wrong}"


def _has_to_know(client: Client, *, pushed: bool) -> bool:
    """Tell whether all of its selected mailbox must have been told to a client."""
    if client.watching is not None and not client.watching.pushes:
        return False
    is_idle = client.head is not None
    return client.mode.free or is_idle or not pushed


def _differs_around(client: Client, truth: Truth) -> str | None:
    if client.surroundings is None:
        return None
    wanted = {name: counts(folder) for name, folder in truth.items()}
    return client.surroundings.compare(wanted, condstore=client.mode.condstore)


def counts(folder: FolderTruth) -> dict[str, object]:
    """Return what STATUS has to say."""
    total = len(folder.messages)
    return {
        "MESSAGES": total,
        "UIDNEXT": folder.uid_next,
        "UIDVALIDITY": folder.uid_validity,
        "UNSEEN": total - folder.count("\\Seen"),
        "DELETED": folder.count("\\Deleted"),
        "SIZE": sum(folder.sizes.values()),
        "MAILBOXID": f"F{folder.mailbox_id}".encode(),
        "HIGHESTMODSEQ": folder.modseq,
    }
