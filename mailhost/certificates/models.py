"""What an authority issued, who we are to it, and what it asks while it decides."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class AcmeAccount(models.Model):
    """Who this installation is to an authority. RFC 8555 §7.1.2."""

    directory = models.CharField(max_length=500, unique=True)
    secret = models.TextField(editable=False, help_text=_("encrypted"))
    address = models.CharField(
        max_length=500, blank=True, editable=False, help_text=_("empty: not known yet")
    )
    contact = models.CharField(max_length=320, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("ACME account")
        verbose_name_plural = _("ACME accounts")

    @override
    def __str__(self) -> str:
        return self.directory


class IssuedCertificate(models.Model):
    """The certificate of one name; without a chain there is none yet."""

    name = models.CharField(_("name"), max_length=253, unique=True)
    chain = models.TextField(blank=True, editable=False, help_text=_("PEM"))
    secret = models.TextField(blank=True, editable=False, help_text=_("encrypted"))
    directory = models.CharField(_("authority"), max_length=500, blank=True)
    begins_at = models.DateTimeField(_("begins"), null=True)
    ends_at = models.DateTimeField(_("ends"), null=True)
    renew_at = models.DateTimeField(_("to be renewed"), null=True)
    fetched_at = models.DateTimeField(_("issued"), null=True)
    ask_at = models.DateTimeField(
        null=True, editable=False, help_text=_("when to ask whether to renew earlier")
    )
    failures = models.PositiveIntegerField(
        _("failures"), default=0, help_text=_("since the last success")
    )
    error = models.TextField(_("last error"), blank=True)
    tried_at = models.DateTimeField(_("last attempt"), null=True)
    # Touched by the hosts that want it; what nobody wants is not renewed.
    wanted_at = models.DateTimeField(_("last wanted"), default=timezone.now)

    @override
    def __str__(self) -> str:
        return self.name


class AcmeChallenge(models.Model):
    """What to answer when the authority asks for a token. RFC 8555 §8.3."""

    token = models.CharField(max_length=255, unique=True)
    answer = models.CharField(max_length=400)
    created_at = models.DateTimeField(default=timezone.now)

    @override
    def __str__(self) -> str:
        return self.token
