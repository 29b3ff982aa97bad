"""Templates: kept from a letter, put into one, named anew and deleted."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from mailhost.mime.html import to_text
from mailhost.webmail import door, sanitise
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.models import Template
from mailhost.webmail.views import page, settings

MOST = 200  # of one user
LONGEST = 500_000  # characters


def of(user: User) -> list[Template]:
    """Return a user's templates by name, without their text."""
    rows = Template.objects.filter(user=user).order_by("name")
    return list(rows.only("pk", "name", "subject"))


def kept(request: Request, data: dict[str, Any]) -> HttpResponse:
    """Keep what is written as a template; one of that name is replaced."""
    name = request.POST.get("template_name", "").strip()[:100]
    mine = Template.objects.filter(user=request.user)
    if not name:
        return door.told(_("A template needs a name."), 409)
    if mine.exclude(name=name).count() >= MOST:
        return door.told(_("There are too many templates."), 409)
    html = "" if data["plain"] else data["html"]
    if len(html) > LONGEST or len(data["text"]) > LONGEST:
        return door.told(_("This is too long for a template."), 409)
    # Pictures of a draft are its parts, and stay with it; pasted ones go along.
    html = sanitise.clean(html, {}).html
    text = to_text(html) if html else data["text"].replace("\r\n", "\n")
    mine.update_or_create(
        user=request.user,
        name=name,
        defaults={"subject": data["subject"], "html": html, "text": text},
    )
    return page.noticed(
        HttpResponse(status=204), _("Kept as the template “%s”.") % name
    )


def fields(request: Request) -> dict[str, str]:
    """Return what ?template= says a new letter starts with."""
    row = door.own(
        Template.objects, request.user, page.number(request.GET["template"]) or 0
    )
    found = {"subject": row.subject, "text": row.text, "html": row.html}
    return found | ({} if row.html else {"plain": "1"})


@require_safe
@signed_in
def show(request: Request, number: int) -> HttpResponse:
    """Give a template to the form that puts it in."""
    row = door.own(Template.objects, request.user, number)
    told = {"subject": row.subject, "html": row.html, "text": row.text}
    return JsonResponse(told)


@require_POST
@signed_in
def change(request: Request, number: int) -> HttpResponse:
    """Name a template anew, or with delete=1 delete it."""
    row = door.own(Template.objects, request.user, number)
    name = request.POST.get("name", "").strip()[:100]
    others = Template.objects.filter(user=request.user, name=name).exclude(pk=row.pk)
    if request.POST.get("delete") == "1":
        row.delete()
    elif not name or others.exists():
        return door.told(_("Choose a name that no other template has."), 409)
    else:
        row.name = name
        row.save(update_fields=["name"])
    return settings.shown(request)
