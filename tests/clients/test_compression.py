"""COMPRESS=DEFLATE under imaplib and IMAPClient, over each kind of connection."""

import zlib

import pytest

from tests.clients.deflated import compress
from tests.clients.site import LETTERS, SECONDS, Site, letter
from tests.clients.test_reading import KINDS, imap_client
from tests.servers import client_tls

FLUSHES = {"sync": zlib.Z_SYNC_FLUSH, "partial": zlib.Z_PARTIAL_FLUSH}


@pytest.mark.parametrize("flush", FLUSHES)
@pytest.mark.parametrize("kind", KINDS)
def test_imaplib(site: Site, kind: str, flush: str) -> None:
    with imap_client(site, kind) as client:
        client.login(site.alice, site.password)
        compress(client, FLUSHES[flush])
        for octets in LETTERS.values():
            assert client.append("INBOX", "", "", octets)[0] == "OK"
        client.select(readonly=True)
        _, found = client.fetch("1:*", "(BODY.PEEK[])")
        assert client.noop()[0] == "OK"
    assert [part[1] for part in found if isinstance(part, tuple)] == [*LETTERS.values()]


@pytest.mark.parametrize("kind", ["clear", "implicit"])
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
        client.login(site.alice, site.password)
        assert b"COMPRESS=DEFLATE" in client.capabilities()
        compress(client._imap)
        client.append("INBOX", LETTERS["utf8"], flags=[rb"\Seen"])
        assert client.select_folder("INBOX")[b"EXISTS"] == 1
        assert client.fetch([1], ["BODY[]"])[1][b"BODY[]"] == LETTERS["utf8"]
        site.fill(site.alice, [letter("second")])
        client.noop()
        assert client.search(["UNSEEN"]) == [2]
