"""What the protocol servers keep: which programs are told less than the truth."""

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
