"""imapflow, of Node, over each transport; .ci/run installs it into .venv/node."""

import json

import pytest

from tests.clients.site import LETTERS, Site
from tests.processes import ROOT

MODULES = ROOT / ".venv" / "node"
SCRIPT = ROOT / "tests" / "clients" / "imapflow.cjs"
TWO = [LETTERS["multipart"], LETTERS["dots"]]


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kind", ["clear", "starttls", "implicit"])
def test_imapflow(site: Site, kind: str, *, compress: bool) -> None:
    if not (MODULES / "node_modules" / "imapflow").exists():
        pytest.skip("imapflow is not installed: npm install --prefix .venv/node")
    letters = [str(site.write(f"{n}.eml", letter)) for n, letter in enumerate(TWO)]
    port = site.port("imaps" if kind == "implicit" else "imap")
    options = {
        "modules": str(MODULES), "port": port,
        "secure": kind == "implicit", "starttls": kind == "starttls",
        "compress": compress, "user": site.alice, "password": site.password,
        "ca": str(site.ca), "letters": letters,
    }  # fmt: skip
    told = json.loads(site.run("node", SCRIPT, json.dumps(options)))
    assert {"INBOX", "Drafts", "Sent", "Trash"} <= set(told["folders"])
    assert [letter[1].encode("latin1") for letter in told["letters"]] == TWO
    assert [letter[2] for letter in told["letters"]] == ["multipart", "dots"]
    assert [letter[3] for letter in told["letters"]] == [len(octets) for octets in TWO]
    kinds = [letter[4] for letter in told["letters"]]
    assert kinds == ["multipart/mixed", "text/plain"]
    assert told["letters"][0][5] == ["\\Seen"]
    assert told["found"] == [2]
    assert told["part"].encode() == TWO[1].partition(b"\r\n\r\n")[2]
    assert told["changed"] == [2]
    assert told["copied"] == [[1, 1]]
    assert told["moved"] == [[1, 2]]
    assert told["status"]["messages"] == 2
    assert told["status"]["unseen"] == 0
    assert told["exists"] == 2
    assert told["gone"] in {1, 2}
    assert told["compressed"] is compress
    assert site.folder(site.alice) == TWO[:1]
    assert site.folder(site.alice, "Grüße/日本") == [TWO[0], TWO[0]]
