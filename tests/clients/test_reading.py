"""curl, mutt, imaplib, IMAPClient, poplib and s_client read what was sent."""

import imaplib
import os
import poplib
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from tests.clients.site import LETTERS, SECONDS, Site, letter, with_lf
from tests.servers import client_tls

KINDS = ["clear", "starttls", "implicit"]
TWO = [LETTERS["dots"], LETTERS["utf8"]]


def test_every_letter_comes_back_as_it_was_appended(site: Site) -> None:
    with site.imap(site.alice) as client:
        for octets in LETTERS.values():
            assert client.append("INBOX", "", "", octets)[0] == "OK"
        client.select(readonly=True)
        _, found = client.fetch("1:*", "(BODY.PEEK[])")
    read = [part[1] for part in found if isinstance(part, tuple)]
    assert read == site.folder(site.alice) == list(LETTERS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_imaplib(site: Site, kind: str) -> None:
    site.fill(site.alice, TWO)
    with imap_client(site, kind) as client:
        client.login(site.alice, site.password)
        assert client.select() == ("OK", [b"2"])
        assert client.search(None, "UNSEEN")[1] == [b"1 2"]
        _, found = client.fetch("1", "(RFC822.SIZE BODY[])")
        assert isinstance(found[0], tuple)
        assert found[0][1] == TWO[0]
        assert b"RFC822.SIZE %d " % len(TWO[0]) in found[0][0]
        assert client.store("2", "+FLAGS", r"(\Deleted)")[0] == "OK"
        assert client.expunge() == ("OK", [b"2"])
        assert client.uid("SEARCH", "ALL")[1] == [b"1"]
        assert client.create('"New one"')[0] == "OK"
        assert client.copy("1", '"New one"')[0] == "OK"
    assert site.folder(site.alice, "New one") == TWO[:1]


def imap_client(site: Site, kind: str) -> imaplib.IMAP4:
    """Return a connected client; STARTTLS is done."""
    if kind == "implicit":
        return imaplib.IMAP4_SSL(
            "localhost", site.port("imaps"), ssl_context=client_tls(), timeout=SECONDS
        )
    client = imaplib.IMAP4("localhost", site.port("imap"), timeout=SECONDS)
    if kind == "starttls":
        client.starttls(client_tls())
    return client


def test_imaplib_is_told_of_a_wrong_password(site: Site) -> None:
    with imap_client(site, "clear") as client, pytest.raises(imaplib.IMAP4.error):
        client.login(site.alice, "wrong")


@pytest.mark.parametrize("kind", KINDS)
def test_imapclient(site: Site, kind: str) -> None:
    imapclient = pytest.importorskip("imapclient", reason="IMAPClient is missing")
    implicit = kind == "implicit"
    client = imapclient.IMAPClient(
        "localhost",
        site.port("imaps" if implicit else "imap"),
        ssl=implicit,
        ssl_context=client_tls() if implicit else None,
        timeout=SECONDS,
    )
    with client:
        if kind == "starttls":
            client.starttls(client_tls())
        client.login(site.alice, site.password)
        client.append("INBOX", TWO[0], flags=[rb"\Seen", b"$Label1"])
        client.append("INBOX", TWO[1])
        assert client.select_folder("INBOX")[b"EXISTS"] == 2
        items = client.fetch([1, 2], ["BODY.PEEK[]", "FLAGS", "ENVELOPE"])
        assert [items[uid][b"BODY[]"] for uid in (1, 2)] == TWO
        assert {rb"\Seen", b"$Label1"} <= set(items[1][b"FLAGS"])
        assert items[1][b"ENVELOPE"].subject == b"dots"
        assert client.search(["UNSEEN"]) == [2]
        names = {folder[2] for folder in client.list_folders()}
        assert {"INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"} <= names
        client.create_folder("Grüße/日本")
        client.move([2], "Grüße/日本")
        assert client.folder_status("Grüße/日本", ["MESSAGES"])[b"MESSAGES"] == 1
        client.idle()
        site.fill(site.alice, [letter("third")])
        assert (2, b"EXISTS") in client.idle_check(timeout=SECONDS)
        client.idle_done()


@pytest.mark.parametrize("kind", KINDS)
def test_poplib(site: Site, kind: str) -> None:
    site.fill(site.alice, TWO)
    client = pop_client(site, kind)
    client.user(site.alice)
    client.pass_(site.password)
    assert client.stat() == (2, sum(map(len, TWO)))
    uidls = [line.split()[1] for line in client.uidl()[1]]
    assert len(set(uidls)) == 2
    for number, octets in enumerate(TWO, 1):
        _, lines, size = client.retr(number)
        assert b"".join(line + b"\r\n" for line in lines) == octets
        assert size >= len(octets)
    header, _, body = TWO[1].partition(b"\r\n\r\n")
    assert client.top(2, 0)[1] == [*header.split(b"\r\n"), b""]
    assert body
    client.dele(1)
    client.quit()
    assert site.folder(site.alice) == TWO[1:]
    again = pop_client(site, kind)
    again.user(site.alice)
    again.pass_(site.password)
    assert again.uidl()[1] == [b"1 " + uidls[1]]
    again.quit()


def pop_client(site: Site, kind: str) -> poplib.POP3:
    """Return a connected client; STLS is done."""
    if kind == "implicit":
        return poplib.POP3_SSL(
            "localhost", site.port("pop3s"), context=client_tls(), timeout=SECONDS
        )
    client = poplib.POP3("localhost", site.port("pop3"), timeout=SECONDS)
    if kind == "starttls":
        client.stls(client_tls())
    return client


CURL = {"imap": ("imap", "imaps"), "pop3": ("pop3", "pop3s")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_curl_reads(site: Site, protocol: str, kind: str) -> None:
    site.fill(site.alice, TWO)
    for number, octets in enumerate(TWO, 1):
        path = f"INBOX/;MAILINDEX={number}" if protocol == "imap" else str(number)
        assert curl(site, protocol, kind, path) == octets


def test_curl_asks_imap(site: Site) -> None:
    site.fill(site.alice, TWO)
    head = curl(
        site, "imap", "clear", "INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(SUBJECT)"
    )
    assert head == b"Subject: dots\r\n\r\n"
    assert b"* SEARCH 2\r\n" in curl(site, "imap", "clear", "INBOX?SUBJECT%20utf8")
    assert b"INBOX\r\n" in curl(site, "imap", "clear", "").replace(b'"', b"")
    curl(site, "imap", "clear", "", "-X", "CREATE Curl")
    file = str(site.write("letter", TWO[1]))
    curl(site, "imap", "implicit", "Curl", "-T", file)
    assert site.folder(site.alice, "Curl") == TWO[1:]


def test_curl_asks_pop3(site: Site) -> None:
    site.fill(site.alice, TWO)
    listed = curl(site, "pop3", "clear", "")
    assert listed == b"1 %d\r\n2 %d\r\n" % (len(TWO[0]), len(TWO[1]))
    curl(site, "pop3", "clear", "1", "-X", "DELE", "-l")
    assert site.folder(site.alice) == TWO[1:]


def curl(site: Site, protocol: str, kind: str, path: str, *more: str) -> bytes:
    """Run curl as alice."""
    scheme = CURL[protocol][kind == "implicit"]
    require = ["--ssl-reqd"] if kind == "starttls" else []
    url = f"{scheme}://127.0.0.1:{site.port(scheme)}/{path}"
    login = ["-u", f"{site.alice}:{site.password}"]
    return site.run("curl", "-sS", url, *login, "--cacert", site.ca, *require, *more)


@pytest.mark.parametrize(
    ("kind", "deflate"),
    [("clear", "no"), ("starttls", "no"), ("implicit", "no"), ("implicit", "yes")],
)
def test_mutt_copies_a_folder(site: Site, kind: str, deflate: str) -> None:
    letters = [LETTERS["plain"], LETTERS["dots"], LETTERS["utf8"]]
    site.fill(site.alice, letters)
    scheme = "imaps" if kind == "implicit" else "imap"
    user = site.alice.replace("@", "%40")
    maildir = site.scratch / "copy"
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    starttls = "yes" if kind == "starttls" else "no"
    config = site.write(
        "muttrc",
        f'set imap_pass="{site.password}"\nset certificate_file="{site.ca}"\n'
        f"set folder={site.scratch}\n"
        "set mbox_type=Maildir\nset copy=no\n"
        f"set ssl_starttls={starttls}\nset ssl_force_tls={starttls}\n"
        f"set imap_deflate={deflate}\nset imap_qresync=yes\nset imap_condstore=yes\n"
        "set confirmappend=no\nset move=no\nset quit=yes\nset delete=no\n"
        "set wait_key=no\nset mail_check=1\n",
    )
    keys = (
        f"<tag-pattern>~A<enter><tag-prefix><copy-message>{maildir}<enter>"
        "<first-entry><flag-message><sync-mailbox><exit>"
    )
    url = f"{scheme}://{user}@localhost:{site.port(scheme)}/INBOX"
    mutt(site, ["-n", "-F", str(config), "-f", url, "-e", f'push "{keys}"'])
    found = [f.read_bytes() for d in ("cur", "new") for f in (maildir / d).iterdir()]
    own = re.compile(rb"(?m)^(Content-Length|Lines): .*\n")  # mutt's, of each copy
    assert sorted(own.sub(b"", f) for f in found) == sorted(map(with_lf, letters))
    with site.imap(site.alice) as client:
        client.select()
        assert client.search(None, "FLAGGED")[1] == [b"1"]


def mutt(site: Site, arguments: list[str]) -> None:
    """Run mutt on a terminal of its own, until it ends."""
    program = shutil.which("mutt")
    if program is None:
        pytest.skip("mutt is not installed")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [program, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=site.environment(),
        cwd=site.scratch,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + SECONDS
    try:
        while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
            shown += os.read(ours, 65536)
    except OSError:  # the terminal's end, on Linux
        pass
    finally:
        os.close(ours)
        if child.poll() is None and time.monotonic() >= deadline:
            child.kill()
        child.wait(SECONDS)
    assert child.returncode == 0, shown[-3000:].decode(errors="replace")


@pytest.mark.parametrize(
    ("service", "starttls", "says", "hears"),
    [
        ("imaps", "", b"a LOGOUT\r\n", b"a OK"),
        ("imap", "imap", b"a LOGOUT\r\n", b"a OK"),
        ("pop3s", "", b"QUIT\r\n", b"+OK"),
        ("pop3", "pop3", b"QUIT\r\n", b"+OK"),
        ("submissions", "", b"QUIT\r\n", b"221"),
        ("submission", "smtp", b"QUIT\r\n", b"221"),
        ("smtp", "smtp", b"QUIT\r\n", b"221"),
    ],
)
def test_s_client_verifies_the_certificate(
    site: Site, service: str, starttls: str, says: bytes, hears: bytes
) -> None:
    how = ["-starttls", starttls] if starttls else []
    for name in ("-verify_hostname", "localhost"), ("-verify_ip", "127.0.0.1"):
        output = site.run(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{site.port(service)}"),
            *("-CAfile", site.ca, "-verify_return_error", *name, "-quiet", *how),
            octets=says,
        )
        assert hears in output
