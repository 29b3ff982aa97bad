"""What an enhanced status code means to a person. RFC 3463 §3.."""

from django.utils.translation import gettext as _


def in_words(status: str) -> str:
    """Return a sentence for a status code; empty where it tells nothing."""
    _class, _dot, detail = status.partition(".")
    return _sentences().get(detail, "")


def _sentences() -> dict[str, str]:
    """Return detail -> sentence, in the language in force."""
    return {
        "1.1": _("There is no such mailbox. Look whether the address is right."),
        "1.2": _("There is no such mail domain. Look whether it is right."),
        "1.6": _("The mailbox has moved and did not say where to."),
        "1.10": _("The domain says that it takes no mail."),
        "2.1": _("The mailbox is disabled."),
        "2.2": _("The mailbox is full."),
        "2.3": _("The message is too big for this mailbox."),
        "3.4": _("The message is too big for that server."),
        "4.1": _("The server could not be reached."),
        "4.2": _("The connection broke off."),
        "4.3": _("The name service could not be reached."),
        "4.4": _("No server takes mail for this domain."),
        "4.6": _("The message would go in circles."),
        "4.7": _("It was tried for as long as we try, without success."),
        "6.7": _("That server does not take addresses with such characters."),
        "7.1": _("The server refused the message."),
        "7.5": _("The connection could not be made as secure as that domain demands."),
        "7.26": _("The server could not verify where the message comes from."),
    }
