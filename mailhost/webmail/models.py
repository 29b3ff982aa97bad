"""What the webmail keeps for itself: preferences, labels, searches, undo.

Mail is not here: labels are keywords of messages, and all that is done with messages
goes through the store.
"""

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Account
from mailhost.webmail.teammodels import (
    Answered,
    Case,
    Note,
    SeenMeeting,
    Transfer,
    TransferChunk,
)
from mailhost.webmail.writingmodels import Identity, Template

__all__ = [
    "Answered", "Case", "Contact", "ContactGroup", "Identity", "Label", "Note",
    "Preferences", "SavedSearch", "SeenMeeting", "SenderChoice", "Template",
    "Transfer", "TransferChunk", "Undo",
]  # fmt: skip


class Preferences(models.Model):
    """How somebody wants the webmail to look and act."""

    class Theme(models.TextChoices):
        """Light or dark."""

        AUTO = "auto", _("as the device")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    class Density(models.TextChoices):
        """How much stands on a screen."""

        COMFORTABLE = "comfortable", _("comfortable")
        COMPACT = "compact", _("compact")

    class Pictures(models.TextChoices):
        """What is done with pictures from elsewhere."""

        ASK = "ask", _("ask")
        ALWAYS = "always", _("always show")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+"
    )
    threaded = models.BooleanField(_("group messages into conversations"), default=True)
    theme = models.CharField(
        _("colours"), max_length=5, choices=Theme.choices, default=Theme.AUTO
    )
    density = models.CharField(
        _("density"),
        max_length=11,
        choices=Density.choices,
        default=Density.COMFORTABLE,
    )
    pictures = models.CharField(
        _("pictures from elsewhere"),
        max_length=6,
        choices=Pictures.choices,
        default=Pictures.ASK,
    )
    plain = models.BooleanField(_("write plain text"), default=False)
    undo_seconds = models.PositiveSmallIntegerField(
        _("seconds to undo sending"), default=10, validators=[MaxValueValidator(60)]
    )
    signature = models.TextField(_("signature"), blank=True, max_length=4000)
    answers_below = models.BooleanField(
        _("answer below what is quoted"), default=False, db_default=False
    )

    @override
    def __str__(self) -> str:
        return f"preferences of {self.user}"


class Label(models.Model):
    """How a keyword of an account's messages is shown."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    keyword = models.CharField(
        max_length=100, help_text=_("lower case; RFC 9051 §2.3.2")
    )
    name = models.CharField(_("name"), max_length=60)
    hue = models.PositiveSmallIntegerField(_("colour"), default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "keyword"], name="label_account_keyword"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.name


class Undo(models.Model):
    """What was done with messages, so that it can be reversed for a while."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    steps = models.JSONField(help_text=_("what brings things back, see undoing.Step"))
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    @override
    def __str__(self) -> str:
        return f"{len(self.steps)} steps of {self.user}"


class SavedSearch(models.Model):
    """A search that stands among somebody's folders."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("search"), max_length=500)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"], name="savedsearch_user_name"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.name


class SenderChoice(models.Model):
    """What somebody chose for mail of one sender."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    address = models.CharField(max_length=320, help_text=_("case-folded"))
    pictures = models.BooleanField(_("show pictures from elsewhere"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "address"], name="senderchoice_user_address"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.address


class Contact(models.Model):
    """Somebody a user writes to: by hand, by vCard, or because they wrote to them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    address = models.CharField(_("e-mail address"), max_length=320)
    name = models.CharField(_("name"), max_length=200, blank=True)
    times = models.PositiveIntegerField(default=0, help_text=_("letters to them"))
    kept = models.BooleanField(default=False, help_text=_("not only by history"))
    # An address of the person that another contact stands for.
    same_as = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="others"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "address"], name="contact_user_address"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.address


class ContactGroup(models.Model):
    """People that a user writes to together."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    members: "models.ManyToManyField[Contact, Any]" = models.ManyToManyField(
        Contact, related_name="groups", blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"], name="contactgroup_user_name"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.name
