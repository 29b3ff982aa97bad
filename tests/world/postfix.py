"""Debian's Postfix on loopback, in a directory of its own: a real peer.

    with postfix({"far.example": sink_port}) as peer:
        peer.port

It takes mail for the domains of the map and hands it on to these ports of 127.0.0.1.
Only its own master process is ended, by its pid file.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = "/usr/sbin/postfix"
WAIT_SECONDS = 20

MAIN = """
compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
syslog_name = mailhost-test
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.far.example
mydomain = far.example
mydestination =
mynetworks =
local_transport = error:none
default_transport = error:none
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
biff = no
alias_maps =
alias_database =
transport_maps = texthash:{home}/etc/transport
relay_domains = {domains}
relay_recipient_maps =
message_size_limit = 52428800
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
minimal_backoff_time = 1s
queue_run_delay = 1s
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
{more}
"""
MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Peer:
    """A running Postfix."""

    home: Path
    port: int

    def log(self) -> str:
        """Return what it has logged."""
        file = self.home / "maillog"
        return file.read_text() if file.exists() else ""


@contextmanager
def postfix(ways: Mapping[str, int], more: str = "") -> Generator[Peer]:
    """Run it; skip the test where it is not installed or we are not root."""
    if not Path(PROGRAM).exists():
        pytest.skip("Postfix is not installed")
    if os.geteuid() != 0:
        pytest.skip("Postfix wants to be started by root")
    home = Path(tempfile.mkdtemp(prefix="mailhost-postfix-"))
    peer = Peer(home, free_port())
    try:
        _configure(peer, ways, more)
        _run(peer, "start")
        _until_open(peer)
        yield peer
    finally:
        _stop(peer)
        shutil.rmtree(home, ignore_errors=True)


def free_port() -> int:
    """Return a port of 127.0.0.1 where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _configure(peer: Peer, ways: Mapping[str, int], more: str) -> None:
    peer.home.chmod(0o755)
    for name in ("etc", "spool", "data"):
        (peer.home / name).mkdir()
    shutil.chown(peer.home / "data", "postfix")
    lines = [f"{domain} smtp:[127.0.0.1]:{port}\n" for domain, port in ways.items()]
    (peer.home / "etc/transport").write_text("".join(lines))
    main = MAIN.format(home=peer.home, domains=" ".join(ways), more=more)
    (peer.home / "etc/main.cf").write_text(main)
    (peer.home / "etc/master.cf").write_text(MASTER.format(port=peer.port))


def _run(peer: Peer, action: str) -> None:
    with (peer.home / "start.log").open("ab") as log:
        subprocess.run(
            [PROGRAM, "-c", str(peer.home / "etc"), action],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _until_open(peer: Peer) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", peer.port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"Postfix did not start: {peer.log()[-2000:]}")


def _stop(peer: Peer) -> None:
    with suppress(OSError, ValueError):
        pid = int((peer.home / "spool/pid/master.pid").read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() != "master":
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + WAIT_SECONDS
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
