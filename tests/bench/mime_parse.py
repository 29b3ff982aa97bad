"""Microseconds to read a typical 10 KB message: ours beside the standard library.

    python -m tests.bench.mime_parse

Ours yields everything that is stored; the library parses and reads the same fields.
"""

import base64
import email
import email.policy
import random
import sys
import timeit
from collections.abc import Callable

from mailhost.mime import headers, structure
from mailhost.mime.message import parse

ROUNDS, REPEATS = 200, 5
LISTED = (
    b"from to cc bcc subject date message-id priority x-priority references newsgroups "
    b"in-reply-to content-type reply-to"
).split()


def typical() -> bytes:
    """Return 10 KB: transport header, plain and HTML text, one attachment."""
    noise = random.Random(7)
    transport = "".join(
        f"Received: from mx{n}.example.org (mx{n}.example.org [192.0.2.{n}])\r\n"
        f"\tby mail.example.net (Postfix) with ESMTPS id 4ABCDEF{n}\r\n"
        f"\tfor <bob@example.net>; Mon, 23 Nov 2026 10:0{n}:00 +0100 (CET)\r\n"
        for n in range(4)
    )
    signature = base64.b64encode(noise.randbytes(256)).decode()
    signed = "\r\n\t".join(signature[n : n + 64] for n in range(0, len(signature), 64))
    header = (
        f"{transport}DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=a;\r\n\t"
        f"b={signed}\r\n"
        "Authentication-Results: mail.example.net; dkim=pass header.d=example.org\r\n"
        "Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
        "From: =?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <joerg@example.org>\r\n"
        'To: "Bob, B." <bob@example.net>, carol@example.net,\r\n'
        "\tDave <dave@example.net>\r\nCc: list@example.org\r\n"
        "Subject: Re: [list] =?utf-8?Q?Gr=C3=BC=C3=9Fe?= about the meeting\r\n"
        "Message-ID: <abc.123@example.org>\r\nIn-Reply-To: <xyz.9@example.net>\r\n"
        "References: <a.1@example.net> <b.2@example.org>\r\n\t<xyz.9@example.net>\r\n"
        "List-Id: <list.example.org>\r\nUser-Agent: Mozilla Thunderbird\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="out"\r\n\r\n'
    )
    text = "Hello Bob,\r\n\r\n" + "Words of a letter =C3=A4 that goes on.\r\n" * 45
    html = "<html><body>" + "<p>Words of a <b>letter</b> &auml;.</p>\r\n" * 70
    file = base64.encodebytes(noise.randbytes(2400)).decode().replace("\n", "\r\n")
    return (
        f"{header}This is MIME.\r\n--out\r\n"
        'Content-Type: multipart/alternative; boundary="in"\r\n\r\n--in\r\n'
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n--in\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n{html}</body></html>\r\n"
        "--in--\r\n\r\n--out\r\n"
        'Content-Type: application/pdf; name="a.pdf"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="a.pdf"\r\n\r\n'
        f"{file}\r\n--out--\r\n"
    ).encode()


def with_library(octets: bytes) -> None:
    """Read what `parse` reads, as far as the library has it."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    for name in ("subject", "date", "from", "to", "cc", "message-id", "references"):
        str(message[name])
    for part in message.walk():
        part.get_content_type(), part.get_filename(), part.get_content_disposition()


def microseconds(call: Callable[[], object]) -> float:
    """Return the best of a few runs, for one call."""
    return min(timeit.repeat(call, number=ROUNDS, repeat=REPEATS)) / ROUNDS * 1e6


def main() -> None:
    """Print the table."""
    octets = typical()
    parsed = parse(octets)
    ours = microseconds(lambda: parse(octets))
    theirs = microseconds(lambda: with_library(octets))
    stored = microseconds(lambda: structure.to_json(parsed.root))
    choose = headers.selector(LISTED)
    rest = headers.selector(LISTED, exclude=True)
    chosen = microseconds(lambda: choose(parsed.header))
    others = microseconds(lambda: rest(parsed.header))
    sys.stdout.write(
        f"message {len(octets)} octets, header {len(parsed.header)} octets\n"
        f"mailhost.mime parse     {ours:8.1f} µs\n"
        f"email policy.default    {theirs:8.1f} µs  ratio {theirs / ours:.1f}\n"
        f"structure.to_json       {stored:8.1f} µs\n"
        f"HEADER.FIELDS           {chosen:8.1f} µs\n"
        f"HEADER.FIELDS.NOT       {others:8.1f} µs\n"
    )


if __name__ == "__main__":
    main()
