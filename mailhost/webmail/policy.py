"""The headers that hold even where a template or the sanitiser fails."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Our own pages: files from here, nothing inline.
SITE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; media-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
# Nobody here needs them, nor does a letter.
FEATURES = "camera=(), microphone=(), geolocation=(), usb=(), payment=()"
# The frame's attribute and the response say the same. Scripts are in neither.
SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
# A part that somebody opens by its address does nothing.
PART = "default-src 'none'; sandbox; frame-ancestors 'none'"
# Browsers show no PDF in a sandbox; their viewer keeps what is in it from our pages.
PDF = (
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; "
    "frame-ancestors 'none'"
)


class SecurityPolicy:
    """Middleware: gives each response that has no policy that of the site.

    Nothing of it is for other sites: not as a picture, a script or a window.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", SITE)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", FEATURES)
        return response


def frame(*pictures: str) -> str:
    """Return the policy of a message's HTML: pictures from these URLs, no script."""
    return (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"img-src {' '.join(pictures)} data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
        f"sandbox {SANDBOX}"
    )
