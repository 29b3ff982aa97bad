"""The admin of what the protocol servers keep."""

from django.contrib import admin

from accounts.adminbase import ModelAdmin
from protocols.models import ClientQuirk


@admin.register(ClientQuirk)
class ClientQuirkAdmin(ModelAdmin):
    """Counts for connections that say their ID from a few seconds later on."""

    list_display = ("name", "version", "hidden", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "hidden", "reason")
