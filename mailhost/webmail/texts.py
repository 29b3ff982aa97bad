"""What scripts say to people: a JSON block in the page, which `say` of dom.js reads.

Holes are `{name}`; a text with a number in it is worded so that any number fits.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What speaks of an attachment, in every language that the pages speak: people write in
# another than they read. A regular expression, without case.
ATTACHMENT = (
    "attach|enclosed"
    "|anhang|anhäng|angehängt|anbei|beigefügt|beiliegend"
    "|adjunt|anexo"
    "|ci-joint|pi[eè]ces? jointes?|je joins|en annexe"
    "|allegat|allego"
    "|bijlage|bijgevoegd|bijgaand"
    "|مرفق|أرفق|المرفق"
)

TEXTS: dict[str, str | Promise] = {
    "failed": _("Something went wrong."),
    "gone": _("This is not there any more."),
    "offline": _("No connection."),
    "away": _("No connection. New mail appears once it is back."),
    "file": _("The file was not taken."),
    "undo": _("Undo"),
    "selected": _("{number} selected"),
    "saved": _("Draft saved."),
    "forgot": _("You wrote of an attachment, but there is none. Send it anyway?"),
    "attachment": ATTACHMENT,
}
