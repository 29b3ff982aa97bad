"""Answers the addresses that mail programs guess, under whatever name they came.

There is an `autoconfig.example.org` and `autodiscover.example.org` for each domain: so
this stands in front of Django's look at the host name, and believes that name only as
far as to ask whether such a domain is ours.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone

from mailhost.autoconfig import answers
from mailhost.autoconfig.servers import is_told, ours

THUNDERBIRD = {
    "/.well-known/autoconfig/mail/config-v1.1.xml",  # under the domain itself
    "/mail/config-v1.1.xml",  # under autoconfig.<domain>
}
OUTLOOK = "/autodiscover/autodiscover.xml"  # in any case
XML = "text/xml; charset=utf-8"
HOUR = "max-age=3600"


class Autoconfig:
    """Middleware: the few addresses of autoconfiguration, everything else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path in THUNDERBIRD and request.method in {"GET", "HEAD"}:
            return thunderbird(request)
        if path.lower() == OUTLOOK and request.method in {"GET", "HEAD", "POST"}:
            return outlook(request)
        return self.get_response(request)


def thunderbird(request: HttpRequest) -> HttpResponse:
    """Answer for the domain of the address that is asked for, or of the host name."""
    address = request.GET.get("emailaddress", "")[:320] or f"@{domain_of(request)}"
    domain = ours(address)
    if not domain or not is_told():
        return HttpResponseNotFound("no such domain here", content_type="text/plain")
    answer = HttpResponse(answers.thunderbird(domain, web()), content_type=XML)
    answer["Cache-Control"] = HOUR
    return answer


def outlook(request: HttpRequest) -> HttpResponse:
    """Answer for the address in the request's XML, or in the URL."""
    address = request.GET.get("Email", request.GET.get("email", ""))[:320]
    understood = True
    if request.method == "POST":
        octets = request.read(answers.LONGEST_REQUEST)
        address, understood = answers.asked_by_outlook(octets)
    if not understood:
        return _refusal(601, "Provider is not available")
    if not address.isprintable() or not ours(address) or not is_told():
        return _refusal(600, "Invalid request")
    return HttpResponse(answers.outlook(address), content_type=XML)


def _refusal(code: int, message: str) -> HttpResponse:
    at = timezone.now().strftime("%H:%M:%S.%f")
    return HttpResponse(answers.outlook_error(code, message, at), content_type=XML)


def domain_of(request: HttpRequest) -> str:
    """Return the domain that a host name such as autoconfig.example.org is for."""
    host = str(request.META.get("HTTP_HOST", ""))[:255].lower().partition(":")[0]
    return host.removeprefix("autoconfig.").removeprefix("autodiscover.")


def web() -> str:
    """Return where the webmail is."""
    if settings.MAILHOST_WEB_HTTPS:
        names = settings.MAILHOST_WEB_HOSTS or [settings.MAILHOST_HOSTNAME]
        return f"https://{names[0]}/"
    return f"http://{settings.MAILHOST_HOSTNAME}:{settings.MAILHOST_WEB_PORT}/"
