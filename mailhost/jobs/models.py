"""The rows of what happens later."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class Job(models.Model):
    """One thing to be done; see the package."""

    name = models.CharField(max_length=60)
    key = models.CharField(max_length=200, blank=True, help_text=_("what it is about"))
    argument = models.JSONField(default=dict, blank=True)
    due = models.DateTimeField(null=True, blank=True, help_text=_("empty: done"))
    owner = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(
        default=0, help_text=_("that failed since the last success")
    )
    error = models.TextField(blank=True, help_text=_("of the last attempt"))
    ran_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "key"], name="job_name_key")
        ]
        indexes = [models.Index(fields=["due"], name="job_due")]  # "what is due now"

    @override
    def __str__(self) -> str:
        return f"{self.name} {self.key}".strip()
