"""The admin of mail: rows to look at; what an action does, the store does.

Headers and structure need the permission to view messages; the text needs
mail.read_message_text besides, and leaves a ReadingAudit row.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.adminbase import ReadOnly
from mailhost.mail.models import Arrival, Folder, Message, ReadingAudit, Role
from mailhost.mime.part import Part
from mailhost.mime.structure import from_json
from mailhost.store import change, flags, folders, read, verdict
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate

Rows = QuerySet[Message]


@admin.register(Folder)
class FolderAdmin(ReadOnly):
    """Folders with their counters."""

    list_display = ("name", "account", "role", "count", "unseen", "octets")
    list_filter = ("role",)
    search_fields = ("name", "account__name")
    list_select_related = ("account", "state")
    fields = [
        "account",
        "name",
        "role",
        "uid_validity",
        "mailbox_id",
        "created_at",
        "count",
        "unseen",
        "octets",
    ]

    @admin.display(description=_("messages"))
    def count(self, folder: Folder) -> int:
        """Return how many messages it holds."""
        return folder.state.messages

    @admin.display(description=_("unseen"))
    def unseen(self, folder: Folder) -> int:
        """Return how many nobody has seen."""
        return folder.state.unseen

    @admin.display(description=_("octets"))
    def octets(self, folder: Folder) -> int:
        """Return the size of its messages."""
        return folder.state.bytes


@admin.register(Message)
class MessageAdmin(ReadOnly):
    """Messages: headers, structure, where filed; the text behind a permission."""

    list_display = (
        "id",
        "account",
        "folder",
        "sender",
        "subject",
        "internal_date",
        "size",
        "flag_names",
    )
    list_filter = ("folder__role",)
    search_fields = ("content__subject", "content__from_address", "account__name")
    search_help_text = _("subject, sender, account")
    list_select_related = ("account", "folder", "content")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)
    actions = ["mark_seen", "mark_unseen", "flag", "to_inbox", "to_junk", "to_trash"]
    actions += ["remove"]
    fields = [
        "account",
        "folder",
        "uid",
        "filed",
        "flag_names",
        "keywords",
        "size",
        "internal_date",
        "saved_at",
        "arrival",
        "headers",
        "structure",
        "text",
    ]

    @override
    def get_queryset(self, request: HttpRequest) -> Rows:
        # Bodies and rendered replies to IMAP are not for a list.
        return (
            super()
            .get_queryset(request)
            .defer("content__envelope", "content__bodystructure", "content__body")
        )

    @admin.display(description=_("from"))
    def sender(self, message: Message) -> str:
        """Return who wrote it."""
        return message.content.from_address

    @admin.display(description=_("subject"))
    def subject(self, message: Message) -> str:
        """Return the subject, cut to what a row holds."""
        return message.content.subject[:100]

    @admin.display(description=_("flags"))
    def flag_names(self, message: Message) -> str:
        """Return the system flags by name."""
        return " ".join(flags.names(message.flags))

    @admin.display(description=_("also filed in"))
    def filed(self, message: Message) -> str:
        """Return the folders that hold the same e-mail."""
        copies = Message.objects.filter(
            account_id=message.account_id, email_id=message.email_id
        ).exclude(pk=message.pk)
        return ", ".join(copies.values_list("folder__name", flat=True)) or "-"

    @admin.display(description=_("how it came"))
    def arrival(self, message: Message) -> SafeString:
        """Return who handed it in, what was found about it, and what followed."""
        row = Arrival.objects.filter(
            account_id=message.account_id, email_id=message.email_id
        ).first()
        lines = [] if row is None else told(row)
        return format_html("<pre>{}</pre>", "\n".join(lines) or "-")

    @admin.display(description=_("headers"))
    def headers(self, message: Message) -> SafeString:
        """Return the header block as it arrived."""
        text = bytes(message.content.header).decode("utf-8", "replace")
        return format_html("<pre>{}</pre>", text)

    @admin.display(description=_("structure"))
    def structure(self, message: Message) -> SafeString:
        """Return the parts, a line each."""
        lines = ((line,) for line in outline(from_json(message.content.parts)))
        return format_html("<pre>{}</pre>", format_html_join("\n", "{}", lines))

    @admin.display(description=_("text"))
    def text(self, message: Message) -> SafeString:
        """Return the link to the raw text."""
        address = reverse("admin:mail_message_text", args=[message.pk])
        said = _("Read the raw text (this is put on record)")
        return format_html('<a href="{}">{}</a>', address, said)

    @override
    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<int:pk>/text/",
            self.admin_site.admin_view(self.show_text),
            name="mail_message_text",
        )
        return [own, *super().get_urls()]

    def show_text(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the octets as plain text, and note who read them."""
        user: Any = request.user
        if not user.has_perm("mail.read_message_text"):
            raise PermissionDenied
        if not self.has_view_permission(request):
            raise PermissionDenied
        message = Message.objects.filter(pk=pk).first()
        if message is None:
            raise Http404
        ReadingAudit.objects.create(
            staff=user,
            account_id=message.account_id,
            email_id=message.email_id,
            what="raw text",
        )
        octets = gate.read_sync(read.octets, message.content_id)
        response = HttpResponse(octets, content_type="text/plain; charset=utf-8")
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["Cache-Control"] = "no-store"
        return response

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Whether the actions that move and flag are offered."""
        user: Any = request.user
        return bool(user.has_perm("mail.change_message"))

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Whether messages may be deleted."""
        user: Any = request.user
        return bool(user.has_perm("mail.delete_message"))

    @admin.action(description=_("Mark as seen"), permissions=["handle"])
    def mark_seen(self, request: HttpRequest, queryset: Rows) -> None:
        r"""Set \Seen."""
        self._each(request, queryset, change.add_flags, flags.SEEN)

    @admin.action(description=_("Mark as not seen"), permissions=["handle"])
    def mark_unseen(self, request: HttpRequest, queryset: Rows) -> None:
        r"""Take \Seen away."""
        self._each(request, queryset, change.remove_flags, flags.SEEN)

    @admin.action(description=_("Flag"), permissions=["handle"])
    def flag(self, request: HttpRequest, queryset: Rows) -> None:
        r"""Set \Flagged."""
        self._each(request, queryset, change.add_flags, flags.FLAGGED)

    @admin.action(description=_("Move to the inbox"), permissions=["handle"])
    def to_inbox(self, request: HttpRequest, queryset: Rows) -> None:
        """Move to each account's own inbox."""
        self._each(request, queryset, move_to_role, Role.INBOX)

    @admin.action(description=_("Move to junk"), permissions=["handle"])
    def to_junk(self, request: HttpRequest, queryset: Rows) -> None:
        """Move to each account's own junk folder."""
        self._each(request, queryset, move_to_role, Role.JUNK)

    @admin.action(description=_("Move to trash"), permissions=["handle"])
    def to_trash(self, request: HttpRequest, queryset: Rows) -> None:
        """Move to each account's own trash."""
        self._each(request, queryset, move_to_role, Role.TRASH)

    @admin.action(description=_("Delete"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: Rows) -> None:
        """Expunge; the content stays for the grace time."""
        self._each(request, queryset, expunge)

    def _each(
        self,
        request: HttpRequest,
        queryset: Rows,
        action: Callable[..., Any],
        *arguments: Any,
    ) -> None:
        """Call a store function for each folder's messages; report what it refuses."""
        uids: dict[tuple[int, int], list[int]] = defaultdict(list)
        for account, folder, uid in queryset.order_by("uid").values_list(
            "account_id", "folder_id", "uid"
        ):
            uids[account, folder].append(uid)
        for (account, folder), found in uids.items():
            try:
                gate.write_sync([account], action, account, folder, found, *arguments)
            except StoreError as error:
                self.message_user(request, str(error), messages.ERROR)


def move_to_role(account_id: int, folder_id: int, uids: list[int], role: str) -> None:
    """Move messages to the folder with this role, unless they are in it."""
    target = folders.folder_by_role(account_id, role)
    if target is not None and target.id != folder_id:
        change.move(account_id, folder_id, uids, account_id, target.id)


def expunge(account_id: int, folder_id: int, uids: list[int]) -> None:
    r"""Remove messages, whether \Deleted or not."""
    change.expunge(account_id, folder_id, uids, force=True)


def told(row: Arrival) -> list[str]:
    """Return a line for each thing that is known of an arrival."""
    lines = [f"from <{row.mail_from}> by {row.peer} for {row.delivered_to}"]
    kept = verdict.read(row.verdict)
    if not kept.action:
        return [*lines, "not checked"]
    lines.append(f"{kept.action}, score {kept.score:g}")
    lines += [f"  {name} {score:+g}: {why}" for name, score, why in kept.findings]
    return lines + [f"  {m}={r} {comment}" for m, r, comment in kept.results]


def outline(root: Part) -> list[str]:
    """Return a line for each part: section, type, size, name."""
    return [
        f"{part.section or '-':<8} {part.type}/{part.subtype}"
        f" {part.body[1] - part.body[0]} {part.encoding} {part.filename}".rstrip()
        for part in root.walk()
    ]


@admin.register(ReadingAudit)
class ReadingAuditAdmin(ReadOnly):
    """Who read whose text, when."""

    list_display = ("at", "staff", "account", "email_id", "what")
    list_select_related = ("staff", "account")
    search_fields = ("staff__email", "account__name")
    date_hierarchy = "at"
