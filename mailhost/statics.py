"""Static files: kept by browsers for ever, compressed once, and whole under ASGI.

Their address has the files' version in it, so that what changed is asked for anew, also
where one module imports another. An address with another version, as a page has that
was opened before an upgrade, leads to today's file, which is not kept.
"""

import gzip
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from whitenoise.middleware import WhiteNoiseMiddleware

OTHER = re.compile(r"/static/(?:[0-9a-f]{12}/)?(?P<name>.+)")
TEXTS = ("text/", "application/json", "image/svg+xml")
LEAST = 400  # octets; less is not worth it


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # has no types
    """WhiteNoise, without the synchronous stream that ASGI has to warn about."""

    @override
    def __init__(self, get_response: Any) -> None:
        """Compress nothing yet."""
        super().__init__(get_response)
        self._packed: dict[str, bytes] = {}

    @override
    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if not path.startswith("/static/"):
            return self.get_response(request)  # type: ignore[no-any-return]
        response = self._found(path, request)
        other = None if response else OTHER.fullmatch(path)
        if other:
            response = self._found(f"{self.static_prefix}{other['name']}", request)
            if response:
                response["Cache-Control"] = "max-age=0, public"
        return response or self.get_response(request)

    def _found(self, path: str, request: HttpRequest) -> HttpResponse | None:
        found = self.find_file(path) if self.autorefresh else self.files.get(path)
        if found is None:
            return None
        response = self.serve(found, request)
        kind = response.get("Content-Type", "")
        if not self.autorefresh and kind.startswith(TEXTS):
            self._pack(path, request, response)
        return response

    def _pack(self, path: str, request: HttpRequest, response: HttpResponse) -> None:
        """Compress what is sent whole."""
        response["Vary"] = "Accept-Encoding"
        accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
        long = len(response.content) >= LEAST
        if response.status_code != 200 or not long or "gzip" not in accepted:
            return
        if path not in self._packed:
            self._packed[path] = gzip.compress(response.content, 9, mtime=0)
        response.content = self._packed[path]
        response["Content-Length"] = str(len(response.content))
        response["Content-Encoding"] = "gzip"

    @override
    def immutable_file_test(self, path: str, url: str) -> bool:
        return not self.autorefresh and url.startswith(self.static_prefix)

    @staticmethod
    @override
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        octets = b""
        if found.file is not None:
            with found.file:
                octets = found.file.read()
        response = HttpResponse(octets, status=int(found.status))
        del response["content-type"]
        for name, value in found.headers:
            response[name] = value
        return response
