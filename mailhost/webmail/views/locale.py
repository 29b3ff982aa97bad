"""In which language and whose time somebody is served: what they chose is kept."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import locales
from accounts.models import User
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.localeform import LocaleForm
from mailhost.webmail.views import settings


@require_POST
@signed_in
def keep(request: Request) -> HttpResponse:
    """Keep what was chosen; the page is loaded anew, in its language."""
    chosen = LocaleForm(request.POST, instance=request.user, label_suffix="")
    if not chosen.is_valid():
        return settings.shown(request, locale=chosen)
    chosen.save()
    if request.htmx:
        response = HttpResponse(status=204)
        response["HX-Redirect"] = reverse("webmail:settings")
        return response
    return redirect("webmail:settings")


@require_POST
@signed_in
def propose(request: Request) -> HttpResponse:
    """Keep the zone of a browser for somebody who never chose one."""
    zone = request.POST.get("zone", "")
    if locales.is_zone(zone):
        mine = User.objects.filter(pk=request.user.pk, time_zone="")
        mine.update(time_zone=zone)
    return HttpResponse(status=204)
