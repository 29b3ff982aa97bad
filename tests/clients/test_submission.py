"""swaks, msmtp, curl, mutt and smtplib hand mail in, over every kind of TLS."""

import shutil
import smtplib
import ssl
import subprocess

import pytest

from tests.clients.site import LETTERS, SECONDS, Site, letter, with_lf
from tests.servers import client_tls

# service, and what each program calls its kind of TLS
KINDS = ["clear", "starttls", "implicit"]
SERVICE = {"clear": "submission", "starttls": "submission", "implicit": "submissions"}
SWAKS = {"clear": [], "starttls": ["--tls"], "implicit": ["--tls-on-connect"]}


def swaks(site: Site, service: str, *more: str, octets: bytes) -> bytes:
    """Run swaks from alice to bob."""
    if any(word.startswith("--tls") for word in more):
        perl = [shutil.which("perl") or "false", "-MNet::SSLeay", "-e1"]
        if subprocess.run(perl, stderr=subprocess.DEVNULL, check=False).returncode:
            pytest.skip("swaks needs Net::SSLeay for TLS")
    # It sends CRLF.CRLF after whatever the file ends with.
    file = site.write("letter", octets.removesuffix(b"\r\n"))
    return site.run(
        *("swaks", "--server", "127.0.0.1", "--port", str(site.port(service))),
        *("--from", site.alice, "--to", site.bob, "--data", f"@{file}", *more),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits(site: Site, kind: str, mechanism: str) -> None:
    login = ["--auth", mechanism, "-au", site.alice, "-ap", site.password]
    trust = ["--tls-ca-path", str(site.ca), "--tls-verify"] if kind != "clear" else []
    octets = LETTERS["plain"]
    swaks(site, SERVICE[kind], *login, *SWAKS[kind], *trust, octets=octets)
    assert site.arrived(site.bob) == [octets]


@pytest.mark.parametrize("kind", ["clear", "starttls"])
def test_swaks_delivers_to_the_mx(site: Site, kind: str) -> None:
    swaks(site, "smtp", *SWAKS[kind], octets=LETTERS["dots"])
    assert site.arrived(site.bob) == [LETTERS["dots"]]


def test_swaks_speaks_lmtp(site: Site) -> None:
    swaks(site, "lmtp", "--protocol", "LMTP", octets=LETTERS["plain"])
    assert site.arrived(site.bob) == [LETTERS["plain"]]


def test_swaks_is_refused_what_is_not_allowed(site: Site) -> None:
    port = str(site.port("smtp"))
    base = ["swaks", "--server", "127.0.0.1", "--port", port, "--from", "a@b.test"]
    # 24: no recipient was accepted
    site.run(*base, "--to", "someone@elsewhere.test", ends=[24])
    site.run(*base, "--to", "nobody@example.test", ends=[24])
    base[4] = str(site.port("submission"))
    base[-1] = site.alice
    # 28: the login failed; 23: MAIL was refused
    wrong = ["--auth", "PLAIN", "-au", site.alice, "-ap", "wrong"]
    site.run(*base, "--to", site.bob, *wrong, ends=[28])
    site.run(*base, "--to", site.bob, ends=[23, 24])
    assert site.folder(site.bob) == []


@pytest.mark.parametrize("kind", KINDS)
def test_msmtp_submits(site: Site, kind: str) -> None:
    tls = "off" if kind == "clear" else "on"
    starttls = "on" if kind == "starttls" else "off"
    config = site.write(
        "msmtprc",
        f"account default\nhost localhost\nport {site.port(SERVICE[kind])}\n"
        f"source_ip 127.0.0.1\n"
        f"auth plain\nuser {site.alice}\npassword {site.password}\nfrom {site.alice}\n"
        f"tls {tls}\ntls_starttls {starttls}\ntls_trust_file {site.ca}\n"
        "set_from_header off\nset_date_header off\n",
    )
    for octets in LETTERS.values():
        site.run("msmtp", "-C", config, site.bob, octets=with_lf(octets))
    assert site.arrived(site.bob) == list(LETTERS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_curl_submits(site: Site, kind: str) -> None:
    scheme = "smtps" if kind == "implicit" else "smtp"
    require = ["--ssl-reqd"] if kind == "starttls" else []
    url = f"{scheme}://127.0.0.1:{site.port(SERVICE[kind])}/client.test"
    for octets in LETTERS.values():
        site.run(
            *("curl", "-sS", url, "--cacert", site.ca, *require),
            *("-u", f"{site.alice}:{site.password}", "--mail-from", site.alice),
            *("--mail-rcpt", site.bob, "-T", site.write("letter", octets)),
        )
    assert site.arrived(site.bob) == list(LETTERS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_mutt_submits(site: Site, kind: str) -> None:
    scheme = "smtps" if kind == "implicit" else "smtp"
    user = site.alice.replace("@", "%40")
    url = f"{scheme}://{user}@localhost:{site.port(SERVICE[kind])}/"
    starttls = "yes" if kind == "starttls" else "no"
    config = site.write(
        "muttrc",
        f'set from="{site.alice}"\nset smtp_url="{url}"\n'
        f'set smtp_pass="{site.password}"\nset certificate_file="{site.ca}"\n'
        "set copy=no\nset use_envelope_from=yes\n"
        f"set send_charset=us-ascii:utf-8\n"
        f"set ssl_starttls={starttls}\nset ssl_force_tls={starttls}\n",
    )
    site.run(
        *("mutt", "-n", "-F", config, "-s", "From mutt", site.bob),
        octets="Grüße von mutt\n.\n".encode(),
    )
    (octets,) = site.arrived(site.bob)
    assert b"\r\nSubject: From mutt\r\n" in octets
    assert octets.endswith("\r\n\r\nGrüße von mutt\r\n.\r\n".encode())


@pytest.mark.parametrize("kind", KINDS)
def test_smtplib_submits(site: Site, kind: str) -> None:
    port = site.port(SERVICE[kind])
    with smtp_client(port, kind, client_tls()) as client:
        client.login(site.alice, site.password)
        for octets in LETTERS.values():
            assert (
                client.sendmail(site.alice, [site.bob], octets, ["body=8bitmime"]) == {}
            )
    assert site.arrived(site.bob) == list(LETTERS.values())


def test_smtplib_learns_of_one_bad_recipient_among_good_ones(site: Site) -> None:
    with smtp_client(site.port("smtp"), "clear", client_tls()) as client:
        to = [site.bob, "nobody@example.test", site.alice]
        refused = client.sendmail("x@else.test", to, LETTERS["plain"])
    assert list(refused) == ["nobody@example.test"]
    assert site.arrived(site.bob) == site.arrived(site.alice) == [LETTERS["plain"]]


def test_a_sender_that_is_somebody_else_is_refused(site: Site) -> None:
    with smtp_client(site.port("submission"), "clear", client_tls()) as client:
        client.login(site.alice, site.password)
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            client.sendmail(site.bob, [site.bob], letter("forged"))
    assert refused.value.smtp_code == 550


def smtp_client(port: int, kind: str, tls: ssl.SSLContext) -> smtplib.SMTP:
    """Return a connected client; STARTTLS is done."""
    if kind == "implicit":
        return smtplib.SMTP_SSL("localhost", port, context=tls, timeout=SECONDS)
    client = smtplib.SMTP("localhost", port, timeout=SECONDS)
    if kind == "starttls":
        assert client.starttls(context=tls)[0] == 220
    return client
