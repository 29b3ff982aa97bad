"""The webmail beside Roundcube, in turns, on the same messages; ratios are of one run.

python -m tests.bench.roundcube [messages] [rounds]

Wants Debian's roundcube-core, roundcube-sqlite3, php-cli and dovecot-imapd; all listen
on loopback alone. Roundcube runs on PHP's own server with opcache and two workers, and
asks Dovecot (Maildir, indexed before); ours on gunicorn as `runmailservers` has it.
`server` is a request over one HTTP connection, `Chromium` from the click to what is
seen. Medians.
"""

import contextlib
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.bench.webmail_pages import letters

ROOT = Path(__file__).resolve().parents[2]
HOST, PASSWORD = "127.0.0.1", "correct horse battery"
CHROMIUM = "/usr/bin/chromium"
SIZE: Any = {"width": 1280, "height": 800}
ROUNDCUBE, ROUNDCUBE_CONFIG = Path("/var/lib/roundcube"), Path("/etc/roundcube")
TIMES = 15  # requests of a kind in one round
DOVECOT = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
listen = 127.0.0.1
protocols = imap
ssl = no
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={home}/mail
}}
first_valid_uid = 1
mail_location = maildir:~/Maildir
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
  service_count = 0
  process_min_avail = 2
}}
namespace inbox {{
  inbox = yes
}}
"""
CONFIG = """<?php
$config['db_dsnw'] = 'sqlite:///{home}/roundcube.db?mode=0640';
$config['imap_host'] = '127.0.0.1:{port}';
$config['des_key'] = '0123456789abcdef01234567';
$config['temp_dir'] = '{home}/temp';
$config['log_dir'] = '{home}/logs';
$config['plugins'] = [];
$config['skin'] = 'elastic';
$config['session_lifetime'] = 600;
"""
FILL = """
import sys
from datetime import datetime, timedelta, UTC
from django.core.management import call_command
from accounts.models import Account, Domain, User
from mailhost.mailfiles import Found
from mailhost.importing import folder_for, import_messages
from mailhost.store.gate import gate
from tests.bench.roundcube import dated
Domain.objects.create(name="example.test")
user = User.objects.create_user("alice@example.test", {password!r})
account = Account.objects.get(owner=user).pk
inbox = folder_for(account, "INBOX").id
found = (Found(octets, 1, (), when) for octets, when in dated({messages}, {begin}))
import_messages(account, inbox, found)
call_command("rebuildsearch", verbosity=0)
gate.stop()
"""
Ask = Callable[[], None]


def dated(messages: int, begin: int) -> Iterator[tuple[bytes, datetime]]:
    """Yield messages and when they came, four minutes apart."""
    start = datetime.fromtimestamp(begin, UTC)
    for number, octets in enumerate(letters(messages)):
        when = start + timedelta(minutes=4 * number)
        stamp = when.strftime("Date: %a, %d %b %Y %H:%M:%S +0000\r\n")
        yield stamp.encode() + octets, when


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(port)


class Browser:
    """One HTTP connection with cookies."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.connection = HTTPConnection(HOST, port, timeout=120)
        self.used = 0.0

    def ask(self, path: str, form: Any = None, **more: Any) -> str:
        """Return the page; redirects are followed."""
        headers = {n.replace("_", "-"): v for n, v in more.items()}
        headers["Cookie"] = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if time.monotonic() > self.used + 1:  # servers close what rests
            self.connection.close()
        self.connection.request("POST" if body else "GET", path, body, headers)
        answer = self.connection.getresponse()
        self.used = time.monotonic()
        text = answer.read().decode("utf-8", "replace")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status in {301, 302, 303}:
            return self.ask(answer.headers["Location"])
        assert answer.status == 200, (path, answer.status, text[:300])
        return text


class Ours:
    """The webmail."""

    row, by_subject = ".row", "subject:budget"

    def __init__(self, home: Path, messages: int, begin: int) -> None:
        self.port = free_port()
        kept = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        directory = home / "ours"
        directory.mkdir()
        environment = kept | {"MAILHOST_DATA_DIR": str(directory)}
        manage = [sys.executable, "manage.py"]
        fill = FILL.format(password=PASSWORD, messages=messages, begin=begin)
        for command in (["migrate", "-v", "0"], ["shell", "-v", "0", "-c", fill]):
            run([*manage, *command], cwd=ROOT, env=environment)
        command = [sys.executable, "-m", "gunicorn", "-k", "asgi", "-w", "2"]
        command += ["--no-control-socket", "-b", f"{HOST}:{self.port}"]
        command += ["mailhost.asgi:application"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
        )
        wait_for(self.port)

    def log_in(self, rare: str) -> dict[str, Ask]:
        """Return the requests of one who has logged in."""
        browser = Browser(self.port)
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)', browser.ask("/login/"))
        assert token
        form = {"login": "alice@example.test", "password": PASSWORD}
        page = browser.ask("/login/", form | {"csrfmiddlewaretoken": token[1]})
        paths = re.findall(r'<a href="(/mail/\d+/\d+/\d+/)"', page)
        assert paths
        inbox = paths[0].rsplit("/", 2)[0] + "/"
        take = random.Random(3)
        rows = {"HX_Request": "true", "HX_Target": "rows"}
        reader = {"HX_Request": "true", "HX_Target": "reader"}

        def search(query: str) -> Ask:
            return lambda: holds(
                browser.ask(f"/search/?{urlencode({'q': query})}", **rows), "<mark>"
            )

        return {
            "list of 50": lambda: holds(browser.ask(inbox, **rows), 'class="row'),
            "the whole page": lambda: holds(browser.ask(inbox), 'class="row'),
            "open": lambda: holds(
                browser.ask(take.choice(paths), **reader), 'class="conversation'
            ),
            "search subject": search("subject:budget"),
            "search subject, rare": search(f"subject:{rare}"),
            "search all": search("budget"),
        }

    def enter(self, page: Any) -> None:
        page.goto(f"http://{HOST}:{self.port}/")
        page.fill("#id_login", "alice@example.test")
        page.fill("#id_password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector(".row")

    def start(self) -> str:
        return f"http://{HOST}:{self.port}/"

    def open(self, page: Any, number: int) -> None:
        page.locator(".row > a").nth(number).click()
        page.wait_for_selector(".conversation .plain")

    def leave(self, page: Any) -> None:
        page.keyboard.press("Escape")
        page.evaluate("document.querySelector('#reader').replaceChildren()")

    def search(self, page: Any, text: str) -> None:
        page.fill("#q", text)
        page.keyboard.press("Enter")
        page.wait_for_selector(".row mark")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


class Theirs:
    """Roundcube over Dovecot."""

    row, by_subject = "#messagelist tr.message", "budget"

    def __init__(self, home: Path, messages: int, begin: int) -> None:
        self.port, imap = free_port(), free_port()
        self.home = home
        for name in ("run", "state", "mail/Maildir", "temp", "logs", "config"):
            (home / name).mkdir(parents=True)
        home.chmod(0o755)
        fill_maildir(home / "mail/Maildir", messages, begin)
        run(["chown", "-R", "mail:mail", str(home / "mail")])
        (home / "users").write_text(f"alice@example.test:{{PLAIN}}{PASSWORD}::::::\n")
        config = home / "dovecot.conf"
        config.write_text(DOVECOT.format(home=home, port=imap))
        self.dovecot = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", config])
        wait_for(imap)
        run(
            ["doveadm", "-c", str(config), "index", "-u", "alice@example.test", "INBOX"]
        )
        (home / "config/config.inc.php").write_text(CONFIG.format(home=home, port=imap))
        for name in ("defaults.inc.php", "mimetypes.php"):
            (home / "config" / name).symlink_to(ROUNDCUBE_CONFIG / name)
        schema = (ROUNDCUBE / "SQL/sqlite.initial.sql").read_bytes()
        run(["sqlite3", str(home / "roundcube.db")], input=schema)
        command = ["php", "-d", "opcache.enable_cli=1", "-d", "error_log=/dev/null"]
        command += ["-S", f"{HOST}:{self.port}", "-t", str(ROUNDCUBE / "public_html")]
        more = {"ROUNDCUBE_CONFIG_DIR": f"{home}/config", "PHP_CLI_SERVER_WORKERS": "2"}
        self.php = subprocess.Popen(
            command, env=os.environ | more, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        wait_for(self.port)

    def log_in(self, rare: str) -> dict[str, Ask]:
        browser = Browser(self.port)
        token = re.search(r'name="_token" value="(\w+)"', browser.ask("/"))
        assert token
        form = {"_task": "login", "_action": "login", "_user": "alice@example.test"}
        form |= {"_pass": PASSWORD, "_token": token[1], "_timezone": "UTC", "_url": ""}
        page = browser.ask("/?_task=login", form)
        token = re.search(r'"request_token":"(\w+)"', page)
        assert token, page[:500]
        ajax = {"X_Roundcube_Request": token[1], "X_Requested_With": "XMLHttpRequest"}

        def mail(action: str, **more: str) -> str:
            asked = {"_task": "mail", "_action": action, "_mbox": "INBOX"} | more
            return "/?" + urlencode(asked)

        listed = browser.ask(mail("list", _remote="1"), **ajax)
        uids = re.findall(r"add_message_row\((\d+)", unescape(listed))
        assert uids, listed[:500]
        take = random.Random(3)

        def search(query: str, where: str) -> Ask:
            path = mail("search", _q=query, _headers=where, _remote="1", _scope="base")
            return lambda: holds(browser.ask(path, **ajax), "add_message_row")

        def open_() -> None:
            path = mail("preview", _uid=take.choice(uids), _framed="1")
            holds(browser.ask(path), 'id="messagebody"')

        def whole() -> None:
            browser.ask("/?_task=mail&_mbox=INBOX")
            holds(browser.ask(mail("list", _remote="1"), **ajax), "add_message_row")

        return {
            "list of 50": lambda: holds(
                browser.ask(mail("list", _remote="1"), **ajax), "add_message_row"
            ),
            "the whole page": whole,
            "open": open_,
            "search subject": search("budget", "subject"),
            "search subject, rare": search(rare, "subject"),
            "search all": search("budget", "text"),
        }

    def enter(self, page: Any) -> None:
        page.goto(f"http://{HOST}:{self.port}/")
        page.fill("#rcmloginuser", "alice@example.test")
        page.fill("#rcmloginpwd", PASSWORD)
        page.click("#rcmloginsubmit")
        page.wait_for_selector("#messagelist tr.message")

    def start(self) -> str:
        return f"http://{HOST}:{self.port}/?_task=mail&_mbox=INBOX"

    def open(self, page: Any, number: int) -> None:
        page.locator(self.row).nth(number).click()
        frame = page.frame_locator("#messagecontframe")
        frame.locator("#messagebody").wait_for()

    def leave(self, page: Any) -> None:
        page.evaluate("document.querySelector('#messagecontframe').src = 'about:blank'")

    def search(self, page: Any, text: str) -> None:
        page.evaluate("rcmail.message_list.clear(true)")
        page.fill("#mailsearchform", text)
        page.press("#mailsearchform", "Enter")
        page.wait_for_selector(self.row)

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.php.pid, 15)
        self.php.wait(30)
        self.dovecot.terminate()
        self.dovecot.wait(30)


def fill_maildir(maildir: Path, messages: int, begin: int) -> None:
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir()
    for number, (octets, when) in enumerate(dated(messages, begin)):
        stamp = int(when.timestamp())
        file = maildir / "cur" / f"{stamp}.M{number:06}.bench,S={len(octets)}:2,S"
        file.write_bytes(octets)
        os.utime(file, (stamp, stamp))


def rare_word(messages: int) -> str:
    """Return a word that few subjects have."""
    words: Counter[str] = Counter()
    for octets in letters(messages):
        subject = re.search(rb"Subject: Re: (.*)", octets)
        words.update(subject[1].decode().split() if subject else [])
    return min((n, word) for word, n in words.items() if len(word) > 5)[1]


def run(command: list[str], **more: Any) -> None:
    subprocess.run(command, check=True, **more)


def holds(text: str, wanted: str) -> None:
    assert wanted in text, text[:500]


def timed(ask: Callable[..., None], *values: Any) -> float:
    start = time.perf_counter()
    ask(*values)
    return (time.perf_counter() - start) * 1000


def main(messages: int = 10_000, rounds: int = 3) -> None:
    """Fill both, take turns, print."""
    home = Path(tempfile.mkdtemp(prefix="roundcube-bench"))
    begin = int(time.time()) - 240 * messages
    sites: list[Any] = []
    try:
        sites += [Ours(home, messages, begin)]
        sites += [Theirs(home, messages, begin)]
        rare = rare_word(messages)
        show(measured(sites, rounds, rare) | seen(sites, rounds))
    finally:
        for one in sites:
            one.stop()
        shutil.rmtree(home)


def measured(sites: list[Any], rounds: int, rare: str) -> dict[str, list[list[float]]]:
    """Return {what: [each site's medians by round]} of requests."""
    found: dict[str, list[list[float]]] = {}
    asked = [site.log_in(rare) for site in sites]
    for _ in range(rounds):
        for which, asks in enumerate(asked):
            for name, ask in asks.items():
                ask()
                took = statistics.median(timed(ask) for _ in range(TIMES))
                note(found, f"server: {name}", which, took)
    return found


def note(
    found: dict[str, list[list[float]]], name: str, which: int, took: float
) -> None:
    found.setdefault(name, [[], []])[which].append(took)


def seen(sites: list[Any], rounds: int) -> dict[str, list[list[float]]]:
    """Do as `measured`, in Chromium."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[list[float]]] = {}
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        pages = [browser.new_context(viewport=SIZE).new_page() for _ in sites]
        for site, page in zip(sites, pages, strict=True):
            site.enter(page)
        for turn in range(rounds * len(sites)):
            which = turn % len(sites)
            for name, took in looks(sites[which], pages[which], turn // len(sites)):
                note(found, f"Chromium: {name}", which, took)
        browser.close()
    return found


def looks(site: Any, page: Any, turn: int) -> Iterator[tuple[str, float]]:
    """Yield what one person waits for."""

    def load() -> None:
        page.goto(site.start(), wait_until="commit")
        page.wait_for_selector(site.row)

    yield (
        "the page until the first row",
        statistics.median(timed(load) for _ in range(5)),
    )
    took = []
    for number in range(5):
        took.append(timed(site.open, page, number + 5 * turn))
        site.leave(page)
    yield "open", statistics.median(took)
    page.goto(site.start())
    page.wait_for_selector(site.row)
    yield "search by subject", timed(site.search, page, site.by_subject)


def show(found: dict[str, list[list[float]]]) -> None:
    """Print the table; x is the median of the rounds' ratios."""
    print("| what | Roundcube | mailhost | × |\n|---|---|---|---|")  # noqa: T201
    for name, (ours, theirs) in found.items():
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        print(  # noqa: T201
            f"| {name} | {statistics.median(theirs):.0f} ms |"
            f" {statistics.median(ours):.0f} ms | {ratio:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
