"""Searches that are kept: they stand among the folders."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mailhost.webmail import door
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.models import SavedSearch

MOST = 50


@require_POST
@signed_in
def save(request: Request) -> HttpResponse:
    """Keep the search `q` under `name`; one of that name is replaced."""
    query = request.POST.get("q", "").strip()[:500]
    name = (request.POST.get("name", "").strip() or query)[:60]
    mine = SavedSearch.objects.filter(user=request.user)
    if not query:
        return door.told(_("There is nothing to save."), 409)
    if mine.exclude(name=name).count() >= MOST:
        return door.told(_("There are too many saved searches."), 409)
    mine.update_or_create(name=name, user=request.user, defaults={"query": query})
    return redirect(f"{reverse('webmail:search')}?{urlencode({'q': query})}")


@require_POST
@signed_in
def forget(request: Request, number: int) -> HttpResponse:
    """Keep a search no longer."""
    door.own(SavedSearch.objects, request.user, number).delete()
    return redirect("webmail:home")
