"""What others ask the web for at fixed places, by any name, with TLS or without.

Before all other middleware: a name that browsers may not use has its answer, too.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from mailhost.certificates import challenges, policy


class WellKnown:
    """Middleware: answers authorities (ACME) and other mail servers (MTA-STS)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith(challenges.PATH):
            return _answered(request, challenges.answer_to(path))
        if path == policy.PATH:
            header = request.META.get("HTTP_HOST", "")
            return _answered(request, policy.for_host(header))
        return self.get_response(request)


def _answered(request: HttpRequest, found: str | None) -> HttpResponse:
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    response = HttpResponse(
        found or "Not found\n", "text/plain", 404 if found is None else 200
    )
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
