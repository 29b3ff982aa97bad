"""Messages, no two alike."""

from random import Random

SUBJECTS = ("lunch", "Re: lunch", "[list] Re: lunch", "Fwd: report", "report", "Grüße")
LARGE = 300_000  # octets: more than one chunk of the store


def letter(dice: Random) -> bytes:
    """Return a message of some shape; a few are large."""
    number = dice.getrandbits(48)
    subject = dice.choice(SUBJECTS)
    if not subject.isascii():
        subject = "=?utf-8?q?Gr=C3=BC=C3=9Fe?="
    head = (
        f"From: {dice.choice('abc')}@example.test\r\nTo: alice@example.test\r\n"
        f"Subject: {subject}\r\nMessage-ID: <{number:x}@example.test>\r\n"
        f"Date: {dice.randint(1, 28)} Nov 2026 10:00:00 +0{dice.randint(0, 9)}00\r\n"
    )
    line = f"This is {number}.\r\n"
    body = line * dice.choice((0, 1, 3, 40))
    if dice.random() < 0.02:
        body = line * (LARGE // len(line))
    if dice.random() < 0.2:
        part = "--b\r\nContent-Type: text/plain\r\n\r\n"
        head += "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
        body = f"{part}{body}\r\n{part}two\r\n--b--\r\n"
    return f"{head}\r\n{body}".encode()
