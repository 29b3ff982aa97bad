"""What people do about their own account in the browser: password and aliases."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import PasswordResetConfirmView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import aliases, provider
from accounts.again import asked_again
from accounts.invitations import tokens
from accounts.models import User
from accounts.userforms import OwnPasswordForm


class Welcome(PasswordResetConfirmView):
    """Where the link of an invitation leads: set a password, once."""

    template_name = "accounts/welcome.html"
    token_generator = tokens
    success_url = settings.LOGIN_URL
    title = _("Set your password")


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show the page; by POST, change the password."""
    user = _user(request)
    form = OwnPasswordForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("Your password is changed."))
        return redirect("account")
    context = {
        "form": form,
        "aliases": aliases.own_aliases(user),
        "room": aliases.room_for_aliases(user),
        "programs": provider.programs_of(user.pk),
        "domain": user.email.rpartition("@")[2],
    }
    return render(request, "accounts/account.html", context)


@login_required
@require_POST
@asked_again
def add_alias(request: HttpRequest) -> HttpResponse:
    """Make an alias, if the domain allows one more."""
    try:
        made = aliases.make_own_alias(
            _user(request), request.POST.get("local_part", "")[:64]
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(alias)s is yours.") % {"alias": made})
    return redirect("account")


@login_required
@require_POST
@asked_again
def drop_alias(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete an alias that the user made."""
    if not aliases.drop_own_alias(_user(request), pk):
        raise Http404
    return redirect("account")


@login_required
@require_POST
@asked_again
def drop_program(request: HttpRequest, client_id: str) -> HttpResponse:
    """Take from a program what it was given; its sessions end."""
    if not provider.revoke(_user(request).pk, client_id):
        raise Http404
    return redirect("account")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
