"""Static files under ASGI: small, so each leaves in one piece."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # has no types
    """WhiteNoise, without the synchronous stream that ASGI has to warn about."""

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
