"""Rows of POP3: what an account wants otherwise, its last login, UIDLs from before."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Account


class MaildropPolicy(models.Model):
    """How POP3 shows one account; what is empty is as the settings say."""

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="+"
    )
    folders = models.TextField(
        blank=True, help_text=_("names of the folders offered, one a line; else INBOX")
    )
    newest_first = models.BooleanField(null=True, blank=True)
    most_messages = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("the newest that are offered; 0: all")
    )
    remove_downloaded = models.BooleanField(
        null=True, blank=True, help_text=_("at QUIT what was downloaded is removed")
    )
    mark_seen = models.BooleanField(
        null=True, blank=True, help_text=_("at QUIT what was downloaded is seen")
    )

    class Meta:
        verbose_name = _("maildrop policy")
        verbose_name_plural = _("maildrop policies")

    @override
    def __str__(self) -> str:
        return f"POP3 of {self.account}"


class LastLogin(models.Model):
    """When an account logged in last; kept only while POP3_LOGIN_DELAY_SECONDS is."""

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="+"
    )
    at = models.DateTimeField()

    @override
    def __str__(self) -> str:
        return f"{self.account} at {self.at}"


class OldUidl(models.Model):
    """What another server called a message that was imported: known to its clients."""

    folder_id = models.BigIntegerField()  # a number: who imports knows no more
    uid = models.BigIntegerField()
    uidl = models.CharField(max_length=70)  # RFC 1939 §7

    class Meta:
        constraints = [
            # "the UIDLs of this folder"
            models.UniqueConstraint(fields=["folder_id", "uid"], name="olduidl_uid")
        ]

    @override
    def __str__(self) -> str:
        return self.uidl
