"""Pages leave compressed; files and pictures as they are.

What a page holds beside a secret may be a stranger's, who could guess the secret by how
well both compress together (BREACH). The one secret of our pages, the CSRF token, is
masked anew in each, and Django's middleware adds up to a hundred octets at random.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from typing_extensions import override

KINDS = frozenset(("text/html", "application/json", "application/manifest+json"))


class Pages(GZipMiddleware):
    """Compresses pages and what scripts ask for."""

    @override
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        is_file = "Content-Disposition" in response.headers
        if response.streaming or kind not in KINDS or is_file:
            return response
        return super().process_response(request, response)
