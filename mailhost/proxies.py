"""Whose word on a client's address is believed: trusted proxies', nobody else's."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class TrustedProxies:
    """Middleware: makes REMOTE_ADDR the client's, as MAILHOST_TRUSTED_PROXIES allows.

    From anybody else X-Forwarded-* is dropped, so that nothing later believes it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        forwarded = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        if not trusted(peer):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        elif forwarded:
            request.META["REMOTE_ADDR"] = client_of(peer, forwarded)
        return self.get_response(request)


def client_of(peer: str, forwarded: str) -> str:
    """Return the rightmost address that is no trusted proxy; more is hearsay."""
    found = peer
    for word in reversed(forwarded.split(",")):
        address = word.strip()
        if not is_address(address):
            break
        found = address
        if not trusted(address):
            break
    return found


def trusted(address: str) -> bool:
    """Tell whether an address is in MAILHOST_TRUSTED_PROXIES."""
    if not settings.MAILHOST_TRUSTED_PROXIES or not is_address(address):
        return False
    ip = ipaddress.ip_address(address)
    networks = map(ipaddress.ip_network, settings.MAILHOST_TRUSTED_PROXIES)
    return any(ip in network for network in networks)


def is_address(text: str) -> bool:
    """Tell whether text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
