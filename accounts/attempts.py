"""Rows of who tried to log in: failures that slow the next, and each user's log."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class LoginFailures(models.Model):
    """How often logins failed from somewhere, or for somebody, and until when to wait.

    To delete a row lifts the ban.
    """

    class Kind(models.TextChoices):
        """What is counted."""

        PAIR = "pair", _("one address, one login")
        ADDRESS = "address", _("one address")
        NETWORK = "network", _("one network")
        ACCOUNT = "account", _("one login, from everywhere")

    key = models.CharField(max_length=64, unique=True, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    address = models.CharField(max_length=64, blank=True)
    login = models.CharField(max_length=320, blank=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    wait_until = models.DateTimeField(help_text=_("no password is looked at before"))

    class Meta:
        verbose_name_plural = _("login failures")

    @override
    def __str__(self) -> str:
        return " ".join(filter(None, (self.login, self.address)))


class LoginRecord(models.Model):
    """What a user's log says: alike logins of one day are one row."""

    class Result(models.TextChoices):
        """How it ended."""

        IN = "in", _("logged in")
        WRONG = "wrong", _("wrong password")
        REFUSED = "refused", _("not allowed")

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="logins")
    protocol = models.CharField(max_length=10)
    address = models.CharField(max_length=64, blank=True)
    client = models.CharField(
        max_length=100, blank=True, help_text=_("what the program calls itself")
    )
    result = models.CharField(max_length=8, choices=Result.choices)
    reason = models.CharField(max_length=100, blank=True)
    day = models.DateField()
    times = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "user", "day", "protocol", "address", "client", "result", "reason"
                ],
                name="login_record_alike",
            )
        ]  # fmt: skip
        # The newest of one user's, and whether they came in from an address.
        indexes = [
            models.Index(fields=["user", "result", "last_at"], name="login_record_new"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.user_id} {self.protocol} {self.result} {self.last_at}"
