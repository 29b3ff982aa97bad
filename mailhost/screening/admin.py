"""Sender policies, and the networks greylisting knows."""

from django.contrib import admin

from accounts.adminbase import ModelAdmin
from mailhost.screening.models import KnownNetwork, SenderPolicy


@admin.register(SenderPolicy)
class SenderPolicyAdmin(ModelAdmin):
    """What holds for one sender's domain."""

    list_display = ("domain", "dmarc", "note")
    list_filter = ("dmarc",)
    search_fields = ("domain", "note")


@admin.register(KnownNetwork)
class KnownNetworkAdmin(ModelAdmin):
    """May be added by hand: it is never told to come again."""

    list_display = ("network", "last_at")
    search_fields = ("network",)
