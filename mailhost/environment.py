"""Reads one setting from a mapping of texts and checks it, or says what is wrong.

Every complaint is one sentence: the setting, what it got, what it wants. What may be
secret (a key, a password in a URL) is not repeated.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class Misconfigured(ImproperlyConfigured):
    """A setting holds what it must not; the text is for the administrator."""

    def __init__(self, name: str, got: str | None, wants: str) -> None:
        """Keep the one sentence; got None hides a secret."""
        value = "a value that is not usable" if got is None else repr(got)
        super().__init__(f"{name} is {value}; it must be {wants}.")


class Reader:
    """Typed look-ups in the environment; an empty text counts as not set."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Read from values, usually os.environ with .env laid under it."""
        self._values = values

    def raw(self, name: str) -> str | None:
        """Return the text of a setting without blanks around it, None when unset."""
        return (self._values.get(name) or "").strip() or None

    def text(self, name: str, default: str = "") -> str:
        """Return any text."""
        return self.raw(name) or default

    def number(self, name: str, default: int, least: int = 0, most: int = 2**62) -> int:
        """Return a whole number between least and most; `_` may group digits."""
        got = self.raw(name)
        if got is None:
            return default
        wants = f"a whole number from {least} to {most}"
        if most == 2**62:
            wants = f"a whole number, {least} or more"
        return _checked(name, got, wants, lambda: _bounded(int(got), least, most))

    def switch(self, name: str, *, default: bool) -> bool:
        """Return yes or no."""
        got = (self.raw(name) or str(default)).lower()
        if got not in TRUE | FALSE:
            raise Misconfigured(name, got, "yes or no")
        return got in TRUE

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of these words; the first is the default."""
        got = self.text(name, choices[0]).lower()
        if got not in choices:
            raise Misconfigured(name, got, " or ".join(choices))
        return got

    def words(self, name: str, default: str = "") -> list[str]:
        """Return a list of texts, written with commas between them."""
        words = (word.strip() for word in self.text(name, default).split(","))
        return [word for word in words if word]

    def some(self, name: str, choices: tuple[str, ...], default: str) -> list[str]:
        """Return words of these, each once, in the order in which they were said."""
        words = [word.lower() for word in self.words(name, default)]
        if set(words) - set(choices):
            wants = f"of {', '.join(choices)}, commas between"
            raise Misconfigured(name, ",".join(words), wants)
        return list(dict.fromkeys(words))

    def numbers(self, name: str, default: str, least: int = 1) -> list[int]:
        """Return a list of whole numbers, at least one of them."""
        words, wants = self.words(name, default), "whole numbers, commas between"
        got = ",".join(words)
        found = _checked(
            name, got, wants, lambda: [_bounded(int(w), least, 2**62) for w in words]
        )
        if not found:
            raise Misconfigured(name, self.raw(name) or "", wants)
        return found

    def addresses(self, name: str, default: str) -> list[str]:
        """Return IP addresses to bind to."""
        words = self.words(name, default)
        wants = "IP addresses, commas between (0.0.0.0 and :: for all)"
        return _checked(
            name,
            ",".join(words),
            wants,
            lambda: [str(ip_address(word.strip("[]"))) for word in words],
        )

    def networks(self, name: str, default: str = "") -> list[str]:
        """Return IP networks in canonical form, 192.0.2.0/24."""
        words = self.words(name, default)
        wants = "IP networks such as 192.0.2.0/24, commas between"
        return _checked(
            name, ",".join(words), wants, lambda: [str(ip_network(w)) for w in words]
        )

    def servers(self, name: str) -> list[str]:
        """Return addresses with or without a port; ["none"] is kept as it is."""
        words = self.words(name)
        wants = "IP addresses, with :port where it is not 53, or none"
        if words == ["none"]:
            return words
        _checked(name, ",".join(words), wants, lambda: [endpoint(w) for w in words])
        return words

    def scores(self, name: str, default: int) -> dict[str, float]:
        """Return numbers by name, written name=number; one without has the default."""
        words = self.words(name)
        wants = "names, each with =number or without, commas between"
        pairs = [word.partition("=") for word in words]
        return _checked(
            name,
            ",".join(words),
            wants,
            lambda: {n.lower(): float(number or default) for n, _, number in pairs},
        )

    def host(self, name: str, default: str) -> str:
        """Return a host name in lower case."""
        got = self.text(name, default).lower()
        if not _is_host(got.rstrip(".")):
            raise Misconfigured(name, got, "a host name such as mail.example.org")
        return got.rstrip(".")

    def hosts(self, name: str, *, wildcards: bool = False) -> list[str]:
        """Return host names in lower case; wildcards: they may begin with `*.`."""
        words = [word.lower().rstrip(".") for word in self.words(name)]
        bare = [w.removeprefix("*.") if wildcards else w for w in words]
        if not all(map(_is_host, bare)):
            wants = "host names such as mail.example.org, commas between"
            raise Misconfigured(name, ",".join(words), wants)
        return words

    def secret(self, name: str) -> str:
        """Return base64url, or an empty text when unset; never shown."""
        got = self.raw(name) or ""
        bare = got.rstrip("=").replace("-", "a").replace("_", "a")
        if bare and not (bare.isascii() and bare.isalnum()):
            raise Misconfigured(name, None, "base64url, as the authority shows it")
        return got

    def file(self, name: str) -> str:
        """Return the path of a file that can be read, or an empty text when unset."""
        got = self.raw(name)
        if got is None:
            return ""
        try:
            with Path(got).open("rb"):
                return got
        except OSError:
            raise Misconfigured(name, got, "the path of a readable file") from None

    def directory(self, name: str) -> str:
        """Return the path of a directory that is there, or "" when unset."""
        got = self.raw(name)
        if got is not None and not Path(got).is_dir():
            raise Misconfigured(name, got, "the path of a directory")
        return got or ""

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of these words; the first when unset."""
        got = (self.raw(name) or choices[0]).lower()
        if got not in choices:
            raise Misconfigured(name, got, f"one of {', '.join(choices)}")
        return got

    def zone(self, name: str, default: str) -> str:
        """Return the IANA name of a time zone."""
        got = self.text(name, default)
        if got not in available_timezones():
            raise Misconfigured(name, got, "a time zone such as Europe/Berlin")
        return got

    def url(self, name: str, schemes: tuple[str, ...]) -> str:
        """Return a URL with a host (or, for sqlite, a path); never shown: secrets."""
        got = self.raw(name)
        if got is None:
            return ""
        wants = f"a URL that starts with {' or '.join(s + '://' for s in schemes)}"
        parts = _checked(name, None, wants, lambda: urlsplit(got))
        _checked(name, None, wants, lambda: parts.port)
        if parts.scheme not in schemes or not (parts.hostname or parts.path):
            raise Misconfigured(name, None, wants)
        return got


def endpoint(text: str, port: int = 53) -> tuple[str, int]:
    """Read "192.0.2.1", "192.0.2.1:99", "2001:db8::1" or "[2001:db8::1]:99".

    `port` is the one where none is said. Raises ValueError.
    """
    host, colon, said = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        return str(ip_address(text.strip("[]"))), port
    return str(ip_address(host.strip("[]"))), _bounded(int(said), 1, 65535)


def _is_host(name: str) -> bool:
    return len(name) <= 253 and all(map(_is_label, name.split(".")))


def _is_label(label: str) -> bool:
    plain = label.replace("-", "a").replace("_", "a")
    return 0 < len(label) < 64 and plain.isascii() and plain.isalnum()


def _bounded(number: int, least: int, most: int) -> int:
    if not least <= number <= most:
        raise ValueError(number)
    return number


def _checked(name: str, got: str | None, wants: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError:
        raise Misconfigured(name, got, wants) from None
