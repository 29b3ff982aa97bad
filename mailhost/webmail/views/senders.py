"""How somebody writes as each of their addresses: kept by the settings page."""

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mailhost.mime.addresses import parse_addresses
from mailhost.webmail import door, identities
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.identities import MOST_SIGNATURE, Sender
from mailhost.webmail.views import page, settings


@require_POST
@signed_in
def keep(request: Request) -> HttpResponse:
    """Keep name, signature and where answers go for one of the user's addresses."""
    posted = request.POST
    address = posted.get("address", "")
    if address not in door.own_addresses(request.user):
        raise Http404
    reply_to, name = posted.get("reply_to", "").strip(), posted.get("name", "").strip()
    signature = posted.get("signature", "")
    if any(ord(c) < 32 or ord(c) == 127 for c in reply_to + name):
        return door.told(_("There are line ends in the addresses."), 409)
    people = parse_addresses(reply_to.encode("utf-8", "replace"))
    if (reply_to and not people) or not all(p.mailbox and p.host for p in people):
        return door.told(_("This is not an e-mail address: %s") % reply_to[:100], 409)
    if len(signature) > MOST_SIGNATURE:
        return door.told(_("The signature is too long: use smaller pictures."), 409)
    is_default = posted.get("is_default") == "1"
    sender = Sender(address, name, reply_to, signature, is_default)
    identities.keep(request.user, sender)
    return page.noticed(settings.shown(request), _("Saved."))
