"""The wheel, the limiter, the PROXY header, the certificate, the supervisor's plan."""

import os
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from pytest_django import Settings

from mailhost.certificates.contexts import Certificate, from_settings, make_self_signed
from protocols.common import supervisor
from protocols.common.accept import is_within, networks, plain
from protocols.common.context import is_loopback
from protocols.common.limiter import Limiter, TooManyConnections
from protocols.common.pidfile import PidFile
from protocols.common.proxy import BadProxyHeader, Header, NoHeader, parse
from protocols.common.services import SERVICES, chosen
from protocols.common.sockets import CannotListen, bind, listen_for
from protocols.common.supervisor import Child
from protocols.common.web import command_line
from protocols.common.wheel import TimerWheel

V2 = b"\r\n\r\n\x00\r\nQUIT\n"


class Clock:
    def __init__(self) -> None:
        self.now = 100.25

    def __call__(self) -> float:
        return self.now


def test_a_timer_comes_once_and_after_the_last_touch() -> None:
    clock, calls = Clock(), []
    wheel = TimerWheel(clock)
    timer = wheel.timer(lambda: calls.append(clock.now), 10)
    for _ in range(30):
        clock.now += 1
        if clock.now < 106:
            timer.touch()
        wheel.tick()
    assert len(calls) == 1
    assert 115 <= calls[0] <= 117


def test_timers_are_reset_and_cancelled() -> None:
    clock, calls = Clock(), []
    wheel = TimerWheel(clock)
    shorter = wheel.timer(lambda: calls.append("shorter"), 1000)
    shorter.reset(3)
    wheel.timer(lambda: calls.append("never"), 5).cancel()
    clock.now += 20
    wheel.tick()
    clock.now += 2000
    wheel.tick()
    assert calls == ["shorter"]
    assert not wheel._buckets


def test_one_failing_timer_spares_the_others() -> None:
    clock, calls = Clock(), []
    wheel = TimerWheel(clock)
    for _ in range(3):
        wheel.timer(lambda: calls.append(1 // (len(calls) - 1)), 1)
    wheel.timer(lambda: calls.append(7), 2)
    clock.now += 5
    wheel.tick()
    assert 7 in calls


def test_limits_count_per_address_and_in_all() -> None:
    limiter = Limiter(most=3, most_per_address=2, most_per_network=9)
    one = limiter.take("192.0.2.1")
    limiter.take("192.0.2.1")
    with pytest.raises(TooManyConnections):
        limiter.take("192.0.2.1")
    limiter.take("192.0.2.2")
    with pytest.raises(TooManyConnections):
        limiter.take("192.0.2.3")
    one.release()
    one.release()
    assert limiter.total == 2
    limiter.take("192.0.2.1")


def test_limits_count_per_network() -> None:
    limiter = Limiter(most=99, most_per_address=9, most_per_network=2)
    one = limiter.take("192.0.2.1")
    limiter.take("192.0.2.2")
    with pytest.raises(TooManyConnections):
        limiter.take("192.0.2.3")
    limiter.take("192.0.3.3")
    one.release()
    limiter.take("192.0.2.3")
    for _ in range(3):  # this machine is no network of strangers
        limiter.take("127.0.0.1")


def test_a_network_of_ipv6_is_one_address() -> None:
    limiter = Limiter(most=9, most_per_address=1, most_per_network=9)
    limiter.take("2001:db8::1")
    with pytest.raises(TooManyConnections):
        limiter.take("2001:db8::2")
    limiter.take("2001:db8:0:1::1")
    limiter.take("")


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nrest", Header(33, "1.2.3.4", 9)),
        (b"PROXY UNKNOWN ffff::1 ::1 1 2\r\n", Header(31, None)),
        (b"PROXY TCP6 ::ffff:1.2.3.4 ::1 9 10\r\n", Header(36, "1.2.3.4", 9)),
        (V2 + b"\x21\x21\0\x24" + bytes(36), Header(52, "::", 0)),
        (V2 + b"\x21\x31\0\x02ab", Header(18, None)),
        (b"PROX", None),
        (b"PROXY TCP4 1.2.3.4 ", None),
        (b"", None),
        (V2, None),
        (b"EHLO there\r\n", NoHeader()),
        (b"\r\nQUIT", NoHeader()),
        (b"\x16\x03\x01", NoHeader()),
    ],
)
def test_proxy_header(octets: bytes, found: object) -> None:
    assert parse(octets) == found


@pytest.mark.parametrize(
    "octets",
    [
        b"PROXY TCP4 1.2.3.4 5.6.7.8 9\r\n",
        b"PROXY TCP4 ::1 ::1 9 10\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 99999 10\r\n",
        b"PROXY UDP4 1.2.3.4 5.6.7.8 9 10\r\n",
        b"PROXY " + b"x" * 200,
        V2 + b"\x11\x11\0\x0c" + bytes(12),
        V2 + b"\x21\x11\0\x02ab",
        V2 + b"\x21\x11\xff\xff",
    ],
)
def test_broken_proxy_header(octets: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        parse(octets)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("", True),
     ("192.0.2.1", False), ("2001:db8::1", False), ("nonsense", False)],
)  # fmt: skip
def test_loopback(address: str, expected: bool) -> None:  # noqa: FBT001
    assert is_loopback(address) is expected


def test_trusted_networks() -> None:
    trusted = networks(["10.0.0.0/8", "2001:db8::/32"])
    assert is_within("10.1.2.3", trusted)
    assert is_within("2001:db8::5", trusted)
    assert not is_within("192.0.2.1", trusted)
    assert not is_within("", trusted)
    assert plain(("::ffff:10.1.2.3", 7, 0, 0)) == ("10.1.2.3", 7)
    assert plain(("fe80::1%eth0", 7, 0, 2)) == ("fe80::1", 7)


def test_the_first_start_makes_a_certificate(
    tmp_path: Path, settings: Settings
) -> None:
    settings.MAILHOST_DATA_DIR = tmp_path
    settings.MAILHOST_HOSTNAME = "mail.example.test"
    from_settings()
    key = tmp_path / "tls" / "self-signed-key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    pem = (tmp_path / "tls" / "self-signed.pem").read_bytes()
    names = (
        x509.load_pem_x509_certificate(pem)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "mail.example.test"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == [
        "127.0.0.1",
        "::1",
    ]
    from_settings()
    assert (tmp_path / "tls" / "self-signed.pem").read_bytes() == pem


def test_a_new_certificate_is_loaded_and_a_broken_one_is_not(tmp_path: Path) -> None:
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    make_self_signed(chain, key, "localhost")
    certificate = Certificate(chain, key)
    first = certificate.ssl_context
    assert first.minimum_version == ssl.TLSVersion.TLSv1_2
    certificate.refresh()
    assert certificate.ssl_context is first
    chain.write_bytes(b"broken")
    certificate.refresh()
    assert certificate.ssl_context is first
    make_self_signed(chain, key, "localhost")
    certificate.refresh()
    assert certificate.ssl_context is not first


def test_services_are_named_once_and_grouped() -> None:
    assert len({s.name for s in SERVICES}) == len(SERVICES)
    assert {s.name for s in chosen(["pop3"])} == {"pop3", "pop3s"}
    assert {s.name for s in chosen(["pop3s"])} == {"pop3s"}
    with pytest.raises(KeyError, match="gopher"):
        chosen(["gopher"])


def test_a_taken_port_is_told() -> None:
    taken = bind("127.0.0.1", 0, "first")
    port = taken.getsockname()[1]
    with taken, pytest.raises(CannotListen, match=f"second cannot .* port {port}"):
        bind("127.0.0.1", port, "second")


def test_lmtp_stays_on_loopback(settings: Settings) -> None:
    settings.MAILHOST_LISTEN = ["0.0.0.0"]
    lmtp = [s for s in SERVICES if s.name == "lmtp"]
    (listener,) = listen_for(lmtp, free_ports=True)
    with listener.socket:
        assert listener.socket.getsockname()[0] == "127.0.0.1"


def test_gunicorn_believes_trusted_proxies_alone(settings: Settings) -> None:
    settings.MAILHOST_TRUSTED_PROXIES = []
    line = command_line(7, 2)
    assert line[line.index("--forwarded-allow-ips") + 1] == ""
    settings.MAILHOST_TRUSTED_PROXIES = ["10.0.0.0/8", "::1/128"]
    line = command_line(7, 2)
    assert line[line.index("--forwarded-allow-ips") + 1] == "10.0.0.0/8,::1/128"


def test_a_child_that_keeps_dying_is_started_more_and_more_slowly() -> None:
    child = Child("x", lambda: None, started_at=100.0)
    waits = []
    for _ in range(12):
        child.note_end(100.0)
        waits.append(child.start_at - 100.0)
    assert waits[:4] == [0.0, 0.5, 1.0, 2.0]
    assert waits[-1] == supervisor.LONGEST_BACKOFF_SECONDS
    child.note_end(100.0 + supervisor.STEADY_SECONDS)
    assert child.start_at == 100.0 + supervisor.STEADY_SECONDS


def test_the_pid_file_goes_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "x" / "run.pid"
    path.parent.mkdir()
    path.write_text("999999999 left by somebody who died\n")
    pid_file = PidFile(path)
    pid_file.take()
    assert path.read_text() == f"{os.getpid()}\n"
    pid_file.release()
    assert not path.exists()
