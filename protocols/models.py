"""What the servers keep: which programs are told less than the truth; who is there."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

CAPABILITY = re.compile(r"[A-Z0-9][A-Z0-9+=.\-]*\Z")
NEEDED = {"IMAP4REV1"}  # without it a server is none


class ClientQuirk(models.Model):
    """Capabilities that an IMAP program is not told of, since it cannot handle them.

    A program says what it is with ID (RFC 2971). Patterns know `*` and `?`, in any
    case; an empty one fits whatever is said, or that nothing is.
    """

    name = models.CharField(
        max_length=100, help_text=_("of the program, as its ID says; * and ? are wild")
    )
    version = models.CharField(max_length=100, blank=True)
    vendor = models.CharField(max_length=100, blank=True)
    os = models.CharField(max_length=100, blank=True)
    hidden = models.CharField(
        max_length=500,
        help_text=_("capabilities with spaces between, such as COMPRESS=DEFLATE IDLE"),
    )
    reason = models.TextField(blank=True, help_text=_("for those who come after you"))
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("client quirk")
        ordering = ("name", "pk")

    @override
    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()

    @override
    def clean(self) -> None:
        names = self.hidden.upper().split()
        wrong = [name for name in names if not CAPABILITY.match(name)]
        if wrong:
            raise ValidationError(
                {"hidden": _("%(name)s is no capability") % {"name": wrong[0]}}
            )
        if NEEDED & set(names):
            raise ValidationError({"hidden": _("IMAP4rev1 cannot be hidden")})
        self.hidden = " ".join(dict.fromkeys(names))


class ServerProcess(models.Model):
    """A process that serves; it says every minute that it is there."""

    name = models.CharField(max_length=80, unique=True)
    seen_at = models.DateTimeField()

    @override
    def __str__(self) -> str:
        return self.name


class OpenConnection(models.Model):
    """A connection that somebody has logged in on; written by the process that has it.

    A process that was killed leaves rows; they count only while it says it is there.
    """

    connection_id = models.CharField(max_length=32, unique=True)
    worker = models.CharField(max_length=80, db_index=True)
    user_id = models.BigIntegerField(db_index=True)
    login = models.CharField(max_length=320)
    service = models.CharField(max_length=20, help_text=_("imap, pop3s, submission, …"))
    address = models.CharField(max_length=64, blank=True)
    client = models.CharField(max_length=100, blank=True)
    tls = models.BooleanField(default=False)
    since = models.DateTimeField()

    @override
    def __str__(self) -> str:
        return f"{self.login} {self.service} {self.connection_id}"
