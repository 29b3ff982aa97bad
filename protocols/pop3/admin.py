"""How POP3 shows an account, in the admin."""

from django.contrib import admin

from accounts.adminbase import ModelAdmin
from protocols.pop3.models import MaildropPolicy


@admin.register(MaildropPolicy)
class MaildropPolicyAdmin(ModelAdmin):
    """What an account wants otherwise than the settings say."""

    list_display = (
        *("account", "folders", "newest_first", "most_messages"),
        *("remove_downloaded", "mark_seen"),
    )
    search_fields = ("account__name",)
    list_select_related = ("account",)
    autocomplete_fields = ("account",)
    ordering = ("account__name",)
