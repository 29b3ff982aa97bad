"""What scripts say to people: a JSON block in the page, which `say` of dom.js reads.

Holes are `{name}`; a text with a number in it is worded so that any number fits.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, str | Promise] = {
    "failed": _("Something went wrong."),
    "gone": _("This is not there any more."),
    "offline": _("No connection."),
    "file": _("The file was not taken."),
    "undo": _("Undo"),
    "selected": _("{number} selected"),
    "saved": _("Draft saved."),
    "forgot": _("You wrote of an attachment, but there is none. Send it anyway?"),
    # Words that speak of an attachment, with | between: a regular expression.
    "attachment": _("attach|enclosed"),
}
