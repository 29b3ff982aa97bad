"""What the webmail keeps for those who write: their senders, and templates."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class Identity(models.Model):
    """How somebody writes as one of their addresses."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    address = models.CharField(max_length=320, help_text=_("case-folded"))
    name = models.CharField(_("name"), max_length=200, blank=True)
    reply_to = models.CharField(_("answers go to"), max_length=1000, blank=True)
    signature = models.TextField(_("signature"), blank=True, help_text=_("HTML"))
    is_default = models.BooleanField(_("used unless another is chosen"), default=False)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "address"], name="identity_user_address"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.address


class Template(models.Model):
    """A letter that somebody writes again and again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    subject = models.CharField(_("subject"), max_length=2000, blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="template_user_name")
        ]

    @override
    def __str__(self) -> str:
        return self.name
