"""Rows of what opens a session beside a user's own password, and of what ends one."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class AppPassword(models.Model):
    """A password that we made for one device; at least 128 random bits.

    Only an HMAC of it is kept, which is also how it is found: no Argon2 at login.
    """

    user = models.ForeignKey(
        "accounts.User", models.CASCADE, related_name="app_passwords"
    )
    name = models.CharField(max_length=100, help_text=_("the device it is for"))
    lookup = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(
        default=list, help_text=_("of: imap, pop3, smtp, sieve, web")
    )
    scram_keys = models.JSONField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_address = models.GenericIPAddressField(null=True, blank=True, editable=False)
    last_protocol = models.CharField(max_length=10, blank=True, editable=False)
    last_client = models.CharField(
        max_length=100, blank=True, default="", editable=False,
        help_text=_("what the program called itself"),
    )  # fmt: skip

    @override
    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @property
    def is_limited(self) -> bool:
        """Whether it is for some protocols alone."""
        return not set(self.scopes) >= {"imap", "pop3", "smtp"}


class ExternalIdentity(models.Model):
    """Who a user is at an outside provider; never matched by an e-mail claim."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255, help_text=_("iss of its tokens"))
    subject = models.CharField(max_length=255, help_text=_("sub of its tokens"))

    class Meta:
        verbose_name_plural = _("external identities")
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="identity_issuer_subject"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class Revocation(models.Model):
    """Sessions that must end, in every process; kept for an hour.

    All of a user, or those of one app password, one token, or one connection.
    """

    user_id = models.BigIntegerField(null=True)
    app_password_id = models.BigIntegerField(null=True)
    access_token_id = models.BigIntegerField(null=True)
    connection_id = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    @override
    def __str__(self) -> str:
        return f"{self.connection_id or self.user_id} at {self.at}"
