"""The webmail as an app on somebody's device: nothing of their mail is in this."""

import json

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

# What the page looks like that says that there is no connection.
FILES = ("webmail/base.css", "webmail/mail.css", "webmail/favicon.svg")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Give the service worker, which keeps static files of one version alone."""
    if settings.STATIC_URL == "/static/":  # they change while somebody works on them
        raise Http404
    context = {
        "static": settings.STATIC_URL,
        "away": reverse("webmail:away"),
        "files": json.dumps([static(name) for name in FILES]),
    }
    script = render(request, "webmail/worker.js", context, "text/javascript")
    script["Cache-Control"] = "no-cache"
    return script


@require_safe
def away(request: HttpRequest) -> HttpResponse:
    """Show that there is no connection; browsers keep this page."""
    return render(request, "webmail/away.html")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - any
    """Tell browsers how the webmail is installed as an app. Nobody's mail is in it."""
    icon = {
        "src": static("webmail/favicon.svg"),
        "sizes": "any",
        "type": "image/svg+xml",
    }
    told = {
        "name": _("Mail"),
        "short_name": _("Mail"),
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#3f5bd9",
        "icons": [icon, icon | {"purpose": "maskable"}],
        "shortcuts": [{"name": _("Compose"), "url": reverse("webmail:compose")}],
    }
    return HttpResponse(json.dumps(told), content_type="application/manifest+json")
