"""mbsync, offlineimap and fetchmail move folders to a machine and back."""

import re
from pathlib import Path

import pytest

from tests.clients.site import LETTERS, Site, letter, with_lf

MBSYNC_TLS = {"clear": "None", "starttls": "STARTTLS", "implicit": "IMAPS"}
TUID = re.compile(rb"(?m)^X-TUID: .*\n")  # mbsync's own mark
OFFLINEIMAP = re.compile(rb"X-OfflineIMAP: .*\r\n")  # offlineimap's
SOME = [LETTERS["plain"], LETTERS["dots"], LETTERS["utf8"], LETTERS["blank"]]


@pytest.mark.parametrize("kind", MBSYNC_TLS)
def test_mbsync_goes_both_ways(site: Site, kind: str) -> None:
    site.fill(site.alice, SOME)
    mbsync(site, kind)
    local = site.scratch / "mail" / "INBOX"
    assert sorted(maildir(local)) == sorted(map(with_lf, SOME))

    # Here a new letter and a flag, there a flag: all three travel.
    (local / "cur" / "1.new.here:2,S").write_bytes(with_lf(letter("from here")))
    dots = next(f for f in files(local) if b"Subject: dots" in f.read_bytes())
    base, _, flags = dots.name.partition(":2,")
    dots.rename(local / "cur" / f"{base}:2,F{flags}")
    with site.imap(site.alice) as client:
        client.select()
        client.store("1", "+FLAGS", r"(\Answered)")
    mbsync(site, kind)
    there = [re.sub(rb"X-TUID: .*\r\n", b"", m) for m in site.folder(site.alice)]
    assert there == [*SOME, letter("from here")]
    plain = next(f for f in files(local) if b"Subject: plain" in f.read_bytes())
    assert "R" in plain.name.partition(":2,")[2]
    before, names = state(site), sorted(f.name for f in files(local))
    assert rb"2 (UID 2 FLAGS (\Flagged" in before

    mbsync(site, kind)
    assert state(site) == before
    assert sorted(f.name for f in files(local)) == names


def mbsync(site: Site, kind: str) -> None:
    """Synchronise every folder with the Maildirs in mail/."""
    (site.scratch / "mail").mkdir(exist_ok=True)
    config = site.write(
        "mbsyncrc",
        f"""IMAPAccount here
Host localhost
Port {site.port("imaps" if kind == "implicit" else "imap")}
User {site.alice}
Pass "{site.password}"
SSLType {MBSYNC_TLS[kind]}
CertificateFile {site.ca}
AuthMechs LOGIN
PipelineDepth 50

IMAPStore there
Account here

MaildirStore mail
Path {site.scratch}/mail/
Inbox {site.scratch}/mail/INBOX
SubFolders Verbatim

Channel all
Far :there:
Near :mail:
Patterns *
Create Both
Expunge Both
SyncState *
""",
    )
    site.run("mbsync", "-c", config, "-a")


@pytest.mark.parametrize("kind", ["clear", "implicit"])  # its STARTTLS can hang
def test_offlineimap_goes_both_ways(site: Site, kind: str) -> None:
    site.fill(site.alice, SOME)
    offlineimap(site, kind)
    local = site.scratch / "mail" / "INBOX"
    assert sorted(maildir(local)) == sorted(map(with_lf, SOME))

    # Here a new letter and a flag, there a flag and a letter less: all travel.
    (local / "cur" / "1.new.here:2,S").write_bytes(with_lf(letter("from here")))
    dots = next(f for f in files(local) if b"Subject: dots" in f.read_bytes())
    base, _, flags = dots.name.partition(":2,")
    dots.rename(local / "cur" / f"{base}:2,F{flags}")
    with site.imap(site.alice) as client:
        client.select()
        client.store("1", "+FLAGS", r"(\Answered)")
        client.store("4", "+FLAGS", r"(\Deleted)")
        client.expunge()
    offlineimap(site, kind)
    there = [OFFLINEIMAP.sub(b"", m) for m in site.folder(site.alice)]
    assert there == [*SOME[:3], letter("from here")]
    assert len(files(local)) == len(there)
    plain = next(f for f in files(local) if b"Subject: plain" in f.read_bytes())
    assert "R" in plain.name.partition(":2,")[2]
    before = state(site)
    assert rb"2 (UID 2 FLAGS (\Flagged" in before

    offlineimap(site, kind)
    assert state(site) == before


def offlineimap(site: Site, kind: str) -> None:
    """Synchronise INBOX with a Maildir in mail/."""
    tls = {
        "clear": "ssl = no\nstarttls = no",
        "implicit": f"ssl = yes\nsslcacertfile = {site.ca}",
    }[kind]
    config = site.write(
        "offlineimaprc",
        f"""[general]
accounts = one
metadata = {site.scratch}/state
socktimeout = 10

[Account one]
localrepository = here
remoterepository = there

[Repository here]
type = Maildir
localfolders = {site.scratch}/mail

[Repository there]
type = IMAP
remotehost = localhost
remoteport = {site.port("imaps" if kind == "implicit" else "imap")}
remoteuser = {site.alice}
remotepass = {site.password}
auth_mechanisms = LOGIN
folderfilter = lambda name: name == "INBOX"
{tls}
""",
    )
    site.run("offlineimap", "-c", config, "-o", "-u", "quiet")


def state(site: Site) -> bytes:
    """Return everything a synchroniser can change of alice's INBOX."""
    with site.imap(site.alice) as client:
        client.select(readonly=True)
        _, status = client.status(
            "INBOX", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)"
        )
        _, flags = client.fetch("1:*", "(UID FLAGS)")
    lines = [*status, *(line for line in flags if isinstance(line, bytes))]
    # \\Recent is of the session that asks. RFC 3501 §2.3.2
    known = [line.replace(rb" \Recent", b"") for line in lines if line is not None]
    return b"\n".join(known)


def files(directory: Path) -> list[Path]:
    """Return the messages of a Maildir."""
    return [f for d in ("cur", "new") for f in sorted((directory / d).iterdir())]


def maildir(directory: Path) -> list[bytes]:
    """Return their octets, without what mbsync adds."""
    return [TUID.sub(b"", f.read_bytes()) for f in files(directory)]


@pytest.mark.parametrize("kind", ["clear", "starttls", "implicit"])
@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_fetchmail_empties_the_inbox(site: Site, protocol: str, kind: str) -> None:
    site.fill(site.alice, SOME)
    fetchmail(site, protocol, kind, "no keep")
    assert fetched(site) == sorted(map(with_lf, SOME))
    assert site.folder(site.alice) == []


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_fetchmail_keeps_and_fetches_only_what_is_new(
    site: Site, protocol: str
) -> None:
    site.fill(site.alice, SOME[:2])
    fetchmail(site, protocol, "clear", "keep")
    assert fetched(site) == sorted(map(with_lf, SOME[:2]))
    fetchmail(site, protocol, "clear", "keep", ends=(1,))  # 1: there is no new mail
    site.fill(site.alice, SOME[2:])
    fetchmail(site, protocol, "clear", "keep")
    assert fetched(site) == sorted(map(with_lf, SOME))
    assert site.folder(site.alice) == SOME


def fetchmail(
    site: Site, protocol: str, kind: str, keep: str, ends: tuple[int, ...] = (0,)
) -> None:
    """Fetch alice's INBOX into files of the directory got."""
    service = f"{protocol}s" if kind == "implicit" else protocol
    tls = {
        "clear": "sslproto ''",
        "starttls": "sslproto TLS1.2+ sslcertck",
        "implicit": "ssl sslcertck",
    }[kind]
    everything = "fetchall" if keep == "no keep" else ""
    uidl = "uidl" if protocol == "pop3" else ""
    config = site.write(
        "fetchmailrc",
        f"set invisible\n"
        f"poll localhost protocol {protocol} service {site.port(service)} {uidl}\n"
        f'user "{site.alice}" password "{site.password}" {keep} {everything}\n'
        f'no rewrite {tls} sslcertfile "{site.ca}" mda "{saver(site)}"\n',
    )
    site.run(
        *("fetchmail", "-f", config, "-i", site.scratch / "ids", "--nosyslog"),
        *("--pidfile", site.scratch / "pid"),
        ends=ends,
    )


def saver(site: Site) -> Path:
    """Return a program that puts what it reads into a file of the directory got."""
    got = site.scratch / "got"
    got.mkdir(exist_ok=True)
    save = site.write("save", f'#!/bin/sh\nexec cat >"$(mktemp {got}/XXXXXXXX)"\n')
    save.chmod(0o700)
    return save


def fetched(site: Site) -> list[bytes]:
    """Return what it took."""
    return sorted(f.read_bytes() for f in (site.scratch / "got").iterdir())


@pytest.mark.parametrize("kind", ["clear", "starttls", "implicit"])
def test_mpop_fetches_only_what_is_new(site: Site, kind: str) -> None:
    service = "pop3s" if kind == "implicit" else "pop3"
    starttls = "on" if kind == "starttls" else "off"
    tls = "off" if kind == "clear" else "on"
    config = site.write(
        "mpoprc",
        f"account default\nhost localhost\nport {site.port(service)}\n"
        f"user {site.alice}\npassword {site.password}\nauth user\nkeep on\n"
        f"tls {tls}\ntls_starttls {starttls}\ntls_trust_file {site.ca}\n"
        f"uidls_file {site.scratch}/uidls\nreceived_header off\n"
        f"delivery maildir {make_maildir(site)}\n",
    )
    for some in (SOME[:2], SOME[2:]):
        site.fill(site.alice, some)
        site.run("mpop", f"--file={config}", "--quiet")
    assert sorted(delivered(site)) == sorted(map(with_lf, SOME))
    assert site.folder(site.alice) == SOME


# It knows no STLS.
@pytest.mark.parametrize("kind", ["clear", "implicit"])
def test_getmail_fetches_only_what_is_new(site: Site, kind: str) -> None:
    retriever, service, tls = {
        "clear": ("SimplePOP3Retriever", "pop3", ""),
        "implicit": ("SimplePOP3SSLRetriever", "pop3s", f"ca_certs = {site.ca}\n"),
    }[kind]
    (site.scratch / "getmail").mkdir(mode=0o700)
    config = site.write(
        "getmailrc",
        f"[retriever]\ntype = {retriever}\nserver = localhost\n"
        f"port = {site.port(service)}\nusername = {site.alice}\n"
        f"password = {site.password}\n{tls}"
        f"[destination]\ntype = MDA_external\npath = {saver(site)}\n"
        "allow_root_commands = true\nunixfrom = false\n"
        "[options]\nread_all = false\ndelete = false\nreceived = false\n"
        "delivered_to = false\n",
    )
    for some in (SOME[:2], SOME[2:]):
        site.fill(site.alice, some)
        directory = site.scratch / "getmail"
        site.run(
            "getmail", f"--getmaildir={directory}", f"--rcfile={config}", "--quiet"
        )
    # Without one in the message it puts one there.
    taken = [f.removeprefix(b"Return-Path: <unknown>\n") for f in fetched(site)]
    assert sorted(taken) == sorted(map(with_lf, SOME))
    assert site.folder(site.alice) == SOME


def make_maildir(site: Site) -> Path:
    """Return an empty Maildir for what is fetched."""
    path = site.scratch / "delivered"
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    return path


def delivered(site: Site) -> list[bytes]:
    """Return what was fetched into it."""
    return [f.read_bytes() for f in files(site.scratch / "delivered")]
