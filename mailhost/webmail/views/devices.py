"""Passwords for devices: made, given as a profile, ended. Each is asked for again."""

from datetime import timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import apppasswords
from accounts.again import asked_again
from accounts.models import AppPassword
from mailhost.autoconfig import answers
from mailhost.webmail import door
from mailhost.webmail.devices import DeviceForm, has_room
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.views import settings
from mailhost.webmail.views.parts import given

PROFILE = "application/x-apple-aspen-config"


@require_POST
@signed_in
@asked_again
def device(request: Request) -> HttpResponse:
    """Make a password for one device; it is shown this once."""
    form = DeviceForm(request.POST)
    if not form.is_valid() or not has_room(request):
        return settings.shown(request, device_form=form)
    name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
    until = None
    if days := form.cleaned_data["days"]:
        until = timezone.now() + timedelta(days=int(days))
    _row, text = apppasswords.create(request.user.pk, name, scopes, until)
    return settings.shown(request, fresh=text, fresh_name=name)


@require_POST
@signed_in
@asked_again
def profile(request: Request) -> HttpResponse:
    """Make a password, and give it away in a profile for an iPhone, iPad or Mac."""
    user = request.user
    if not has_room(request):
        return settings.shown(request)
    name = request.POST.get("name", "").strip()[:100] or "iPhone, iPad, Mac"
    _row, text = apppasswords.create(user.pk, name, ["imap", "pop3", "smtp"])
    octets = answers.apple(user.email, user.name, text)
    answer = given(octets, PROFILE, "mail.mobileconfig", inline=False)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@signed_in
@asked_again
def revoke(request: Request, number: int) -> HttpResponse:
    """End the password of a device, and what it has open."""
    door.own(AppPassword.objects, request.user, number).delete()
    return settings.shown(request)
