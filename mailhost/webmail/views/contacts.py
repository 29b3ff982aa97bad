"""The people and groups of a user: one page, a form for each deed."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from mailhost.webmail import addressbook, door, people
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.models import Contact, ContactGroup
from mailhost.webmail.views import page
from mailhost.webmail.views.parts import given

CONTACTS = "webmail/reader/contacts.html"
MOST_CARDS = 4 * 1024 * 1024  # octets of a file


@require_safe
@signed_in
def show(request: Request) -> HttpResponse:
    """Show the people, ?q= some of them, and the groups."""
    return _page(request)


def _page(request: Request, text: str = "") -> HttpResponse:
    asked = request.GET.get("q", "").strip()[:100]
    context = {
        "asked": asked,
        "persons": addressbook.persons(request.user, asked),
        "contact_groups": addressbook.groups(request.user),
        "doubles": addressbook.doubles(request.user),
    }
    if request.htmx.target == "reader":
        response = render(request, CONTACTS, context)
    else:
        inbox = page.inbox(request)
        if inbox is None:
            return redirect("webmail:home")
        response = page.whole(request, inbox, reader=CONTACTS, pane="reader", **context)
    return page.noticed(response, text) if text else response


@require_POST
@signed_in
def group(request: Request) -> HttpResponse:
    """Make a group by `name`; with `number` rename it, or with delete=1 forget it."""
    name, number = request.POST.get("name", ""), page.number(request.POST.get("number"))
    if number is None:
        if addressbook.group_named(request.user, name) is None:
            return door.told(_("A group needs a name."), 409)
        return _page(request)
    found = door.own(ContactGroup.objects, request.user, number)
    if request.POST.get("delete") == "1":
        found.delete()
        return _page(request)
    name = " ".join(name.split())[:60]
    same = ContactGroup.objects.filter(user=request.user, name__iexact=name)
    if not name or same.exclude(pk=found.pk).exists():
        return door.told(_("There is a group of this name."), 409)
    found.name = name
    found.save(update_fields=["name"])
    return _page(request)


@require_POST
@signed_in
def member(request: Request, number: int) -> HttpResponse:
    """Put the person of `address` into a group, or with remove=1 take them out."""
    found = door.own(ContactGroup.objects, request.user, number)
    address = request.POST.get("address", "")
    if request.POST.get("remove") == "1":
        found.members.remove(*found.members.filter(address=address.strip().casefold()))
    elif not addressbook.join(request.user, found, address):
        return door.told(_("This is not an e-mail address: %s") % address[:100], 409)
    return _page(request)


@require_POST
@signed_in
def merge(request: Request) -> HttpResponse:
    """Make one person of the contacts `one`; with all=1 of each name that is double."""
    if request.POST.get("all") == "1":
        sets = [[c.pk for c in those] for those in addressbook.doubles(request.user)]
    else:
        sets = [[page.number(one) or 0 for one in request.POST.getlist("one")]]
    count = sum(bool(addressbook.merge(request.user, numbers)) for numbers in sets)
    text = ngettext(
        "%d person was put together.", "%d people were put together.", count
    )
    return _page(request, text % count)


@require_POST
@signed_in
def part(request: Request, number: int) -> HttpResponse:
    """Make an address a person of its own again."""
    door.own(Contact.objects, request.user, number)
    addressbook.part(request.user, number)
    return _page(request)


@require_POST
@signed_in
def keep(request: Request) -> HttpResponse:
    """Keep somebody, or with delete=1 forget them."""
    address = request.POST.get("address", "")
    if request.POST.get("delete") == "1":
        mine = Contact.objects.filter(user=request.user)
        mine.filter(address=address.strip().casefold()).delete()
    elif not people.keep(request.user, address, request.POST.get("name", "")):
        return door.told(_("This is not an e-mail address: %s") % address[:100], 409)
    return _page(request)


@require_POST
@signed_in
def take_in(request: Request) -> HttpResponse:
    """Keep the people and groups of a vCard file."""
    file = request.FILES.get("cards")
    if file is None or (file.size or 0) > MOST_CARDS:
        return door.told(_("Choose a vCard file of at most 4 MB."), 409)
    kept = addressbook.take_in(request.user, file.read().decode("utf-8", "replace"))
    text = ngettext("%d person was taken in.", "%d people were taken in.", kept)
    return _page(request, text % kept)


@require_safe
@signed_in
def export(request: Request) -> HttpResponse:
    """Give the kept people, and their groups, away as vCards."""
    octets = addressbook.given(request.user).encode("utf-8", "replace")
    return given(octets, "text/vcard; charset=utf-8", "contacts.vcf", inline=False)
