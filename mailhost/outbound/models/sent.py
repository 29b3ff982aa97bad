"""What became of what users sent, longer than the queue knows it."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from typing_extensions import override


class SentTo(models.Model):
    """One recipient of a message that was sent with an envelope id, and its end."""

    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, related_name="+"
    )
    envid = models.CharField(max_length=100)
    address = models.CharField(max_length=320)
    state = models.CharField(max_length=8, help_text="sent, failed or dropped")
    reply = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [
            # "what became of this message"
            models.Index(fields=["sender", "envid"], name="sentto_sender_envid")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.address}: {self.state}"
