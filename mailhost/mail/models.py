"""Folders, messages, their content and octets. Only mailhost.store writes these rows.

A Message row is narrow: 100,000 of them are scanned at once. What is parsed from the
octets stands in Content, once; the octets themselves in Blob and BlobChunk.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Account, User


class Role(models.TextChoices):
    """What a folder is for. RFC 6154 §2."""

    NONE = "", _("none")
    INBOX = "inbox", _("inbox")
    DRAFTS = "drafts", _("drafts")
    SENT = "sent", _("sent")
    ARCHIVE = "archive", _("archive")
    JUNK = "junk", _("junk")
    TRASH = "trash", _("trash")
    ALL = "all", _("all")
    FLAGGED = "flagged", _("flagged")
    IMPORTANT = "important", _("important")
    SNOOZED = "snoozed", _("snoozed")


class AccountState(models.Model):
    """The counters of an account: the lock every write takes, never in a form."""

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="state"
    )
    modseq = models.BigIntegerField(default=1)
    bytes = models.BigIntegerField(default=0)
    messages = models.BigIntegerField(default=0)
    next_uid_validity = models.BigIntegerField(default=1)
    # Start of the machine at the last write; an unclean stop makes modseq leap (§2).
    boot_id = models.CharField(max_length=36, blank=True)
    # The account's modseq when its owner last subscribed to something, or ceased to.
    subscribed_modseq = models.BigIntegerField(null=True)
    # The same when what is shared with its owner, or by it, last changed.
    rights_modseq = models.BigIntegerField(null=True)

    @override
    def __str__(self) -> str:
        return f"state of account {self.account_id}"


class Folder(models.Model):
    """A named list of messages: IMAP's mailbox."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="folders")
    name = models.CharField(max_length=1000, help_text=_("full path, / between levels"))
    role = models.CharField(
        max_length=10, choices=Role.choices, blank=True, default=Role.NONE
    )
    uid_validity = models.BigIntegerField()
    # Survives RENAME, never used again. RFC 8474 §4.
    mailbox_id = models.CharField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"], name="folder_account_name"
            ),
            models.UniqueConstraint(
                fields=["account", "uid_validity"], name="folder_account_uid_validity"
            ),
            models.UniqueConstraint(
                fields=["account", "role"],
                condition=~models.Q(role=""),
                name="folder_account_role",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.name


class FolderState(models.Model):
    """The counters of a folder, written with the rows they count, never in a form."""

    folder = models.OneToOneField(
        Folder, models.CASCADE, primary_key=True, related_name="state"
    )
    uid_next = models.BigIntegerField(default=1)
    modseq = models.BigIntegerField(default=1)
    # Tombstones of changes up to here may be gone.
    pruned_modseq = models.BigIntegerField(default=0)
    messages = models.BigIntegerField(default=0)
    unseen = models.BigIntegerField(default=0)
    deleted = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    # UIDs from here on were told to no session as recent. RFC 3501 §2.3.2.
    recent_uid = models.BigIntegerField(default=1)

    @override
    def __str__(self) -> str:
        return f"state of folder {self.folder_id}"


class Subscription(models.Model):
    """A name the user is subscribed to; survives the folder. RFC 3501 §6.3.6."""

    user = models.ForeignKey(User, models.CASCADE)
    name = models.CharField(max_length=1000)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"], name="subscription_user_name"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.name


class Blob(models.Model):
    """The exact octets of a message, in chunks; immutable."""

    size = models.BigIntegerField()
    # False while chunks are still being staged; a sweep removes such rows after a day.
    complete = models.BooleanField(default=True)
    # Key of an object in a Django storage; empty: the chunks hold the octets.
    storage_key = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    @override
    def __str__(self) -> str:
        return f"blob {self.pk}"


class BlobChunk(models.Model):
    """At most 256 KB of a blob."""

    # Found by the constraint's index.
    blob = models.ForeignKey(
        Blob, models.CASCADE, related_name="chunks", db_index=False
    )
    number = models.PositiveIntegerField()
    octets = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["blob", "number"], name="blobchunk_blob_number"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"chunk {self.number} of blob {self.blob_id}"


class Thread(models.Model):
    """A conversation of an account; fixed at arrival."""

    account = models.ForeignKey(Account, models.CASCADE)

    @override
    def __str__(self) -> str:
        return f"thread {self.pk}"


class ThreadKey(models.Model):
    """A message-id, or a base subject, of an account, and the thread it leads to."""

    # Hex of the first 16 octets of SHA-256 over account and what is named: bounded
    # whatever the header holds, and one look-up whatever the accounts.
    key = models.CharField(max_length=32, primary_key=True)
    # Never looked up by these: an index of each cost every arrival two more pages.
    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    thread = models.ForeignKey(Thread, models.CASCADE, db_index=False)

    @override
    def __str__(self) -> str:
        return self.key


class Content(models.Model):
    """One parsed message, immutable; made from its octets once, at arrival."""

    blob = models.OneToOneField(Blob, models.PROTECT, related_name="content")
    size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    parser_version = models.PositiveSmallIntegerField()
    header = models.BinaryField()
    envelope = models.BinaryField()
    bodystructure = models.BinaryField()
    body = models.BinaryField(help_text=_("BODY: the structure without extensions"))
    parts = models.TextField(help_text=_("the part table, mime.structure.to_json"))
    sent_at = models.DateTimeField(null=True, blank=True)
    subject = models.TextField(blank=True)
    base_subject = models.TextField(blank=True)
    # [[name, address], …] each, JSON text.
    addresses = models.TextField(
        blank=True, help_text=_("JSON: from, sender, reply_to, to, cc, bcc")
    )
    from_name = models.CharField(max_length=255, blank=True)
    from_address = models.CharField(max_length=320, blank=True)
    message_id = models.TextField(blank=True)
    references = models.TextField(blank=True, help_text=_("ids, newline between"))
    preview = models.CharField(max_length=255, blank=True)
    has_attachment = models.BooleanField(default=False)
    importance = models.SmallIntegerField(
        null=True, help_text=_("1: high, -1: low, as its header says")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    @override
    def __str__(self) -> str:
        return self.subject or f"content {self.pk}"


class Message(models.Model):
    """One message in one folder. Narrow: no text but the mostly empty keywords."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    folder = models.ForeignKey(Folder, models.CASCADE, db_index=False)
    uid = models.BigIntegerField()
    modseq = models.BigIntegerField()
    created_modseq = models.BigIntegerField()
    flags = models.PositiveSmallIntegerField(default=0, help_text=_("store.flags bits"))
    keywords = models.TextField(blank=True, default="", help_text=_("space between"))
    internal_date = models.DateTimeField()
    saved_at = models.DateTimeField()
    size = models.BigIntegerField()
    content = models.ForeignKey(Content, models.PROTECT)
    email_id = models.BigIntegerField(help_text=_("random; the copies share it"))
    thread = models.ForeignKey(Thread, models.PROTECT, null=True, db_index=False)

    class Meta:
        constraints = [
            # "rows of a folder, by UID"
            models.UniqueConstraint(fields=["folder", "uid"], name="message_folder_uid")
        ]
        indexes = [
            # "what changed in this folder since modseq n"
            models.Index(fields=["folder", "modseq"], name="message_folder_modseq"),
            # "the copies of an e-mail, wherever it is filed"
            models.Index(fields=["account", "email_id"], name="message_account_email"),
            # "the messages of a conversation", "the newest of one in this folder"
            models.Index(
                fields=["thread", "folder", "internal_date"],
                name="message_thread_folder",
            ),
            # "rows of a folder, newest first"
            models.Index(
                fields=["folder", "internal_date"], name="message_folder_date"
            ),
            # "what this account got, newest first"
            models.Index(fields=["account", "internal_date"], name="message_date"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.folder_id}/{self.uid}"


class Arrival(models.Model):
    """What is true of a delivered e-mail for this account alone; never header text."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    email_id = models.BigIntegerField()
    delivered_to = models.CharField(max_length=320, blank=True)
    mail_from = models.CharField(max_length=320, blank=True)
    peer = models.CharField(max_length=300, blank=True, help_text=_("who handed it in"))
    verdict = models.TextField(blank=True, help_text=_("JSON: checks and reasons"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email_id"], name="arrival_account_email"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.delivered_to} {self.email_id}"


class BlockedSender(models.Model):
    """Somebody whose mail to an account goes to its Junk."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    address = models.CharField(max_length=320, help_text=_("case-folded"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "address"], name="blockedsender_account_address"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.address


class Snooze(models.Model):
    """An e-mail that is put away until its time. See store/snoozing.py."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    email_id = models.BigIntegerField()
    due = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email_id"], name="snooze_account_email"
            )
        ]
        indexes = [
            # "what of this account is due next"
            models.Index(fields=["account", "due"], name="snooze_account_due")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.email_id} until {self.due:%Y-%m-%d %H:%M}"


class Reminder(models.Model):
    """A sent message that comes back if nobody answers it."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    message_id = models.CharField(max_length=500, help_text=_("without <>"))
    due = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "message_id"], name="reminder_account_message"
            )
        ]
        indexes = [
            # "what of this account is due next"
            models.Index(fields=["account", "due"], name="reminder_account_due")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.message_id} until {self.due:%Y-%m-%d %H:%M}"


class MutedThread(models.Model):
    """A conversation whose new mail is filed to Archive, read."""

    thread = models.OneToOneField(
        Thread, models.CASCADE, primary_key=True, related_name="+"
    )

    @override
    def __str__(self) -> str:
        return f"thread {self.thread_id}"


class Tombstone(models.Model):
    """A message that was expunged; its content stays for a grace time."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    folder = models.ForeignKey(Folder, models.CASCADE, db_index=False)
    uid = models.BigIntegerField()
    modseq = models.BigIntegerField()
    email_id = models.BigIntegerField()
    content = models.ForeignKey(Content, models.PROTECT, null=True)
    expunged_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["folder", "uid"], name="tombstone_folder_uid"
            )
        ]
        indexes = [
            # "what left this folder since modseq n"
            models.Index(fields=["folder", "modseq"], name="tombstone_folder_modseq")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.folder_id}/{self.uid} gone"


class FolderTombstone(models.Model):
    """A folder that was deleted, or the name that a renamed one left."""

    account = models.ForeignKey(Account, models.CASCADE)
    name = models.CharField(max_length=1000)
    mailbox_id = models.CharField(max_length=32)
    uid_validity = models.BigIntegerField()
    modseq = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # "folders that left this account since modseq n"
            models.Index(fields=["account", "modseq"], name="foldertombstone_modseq")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.name} gone"


class FolderRight(models.Model):
    """RFC 4314 rights on one folder, over what a Membership gives."""

    folder = models.ForeignKey(Folder, models.CASCADE, related_name="rights")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True)
    group = models.ForeignKey("auth.Group", models.CASCADE, null=True, blank=True)
    rights = models.CharField(max_length=26, help_text=_("letters of RFC 4314 §2.1"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["folder", "user"], name="right_folder_user"
            ),
            models.UniqueConstraint(
                fields=["folder", "group"], name="right_folder_group"
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.rights}"


class UrlKey(models.Model):
    """What signs the URLs by which a user lets others read of a folder. RFC 4467."""

    user = models.ForeignKey(User, models.CASCADE)
    folder = models.ForeignKey(Folder, models.CASCADE)
    key = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "folder"], name="urlkey_user_folder"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"key {self.pk}"


class Annotation(models.Model):
    """A METADATA entry of a folder, or of the account. RFC 5464."""

    account = models.ForeignKey(Account, models.CASCADE)
    folder = models.ForeignKey(Folder, models.CASCADE, null=True, blank=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True)
    entry = models.CharField(max_length=500)
    value = models.BinaryField()
    modseq = models.BigIntegerField(null=True)  # the account's, at the last change
    removed = models.BooleanField(null=True)  # True: kept so that others hear of it

    class Meta:
        indexes = [
            # "the entries of this folder"
            models.Index(fields=["account", "folder"], name="annotation_folder"),
            # "the entries of this account that changed since modseq n"
            models.Index(fields=["account", "modseq"], name="annotation_modseq"),
        ]

    @override
    def __str__(self) -> str:
        return self.entry


class WriteMark(models.Model):
    """The id of a committed batch: settles a connection lost in COMMIT."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    @override
    def __str__(self) -> str:
        return str(self.id)


class ReadingAudit(models.Model):
    """Somebody read a message's text in the admin."""

    staff = models.ForeignKey(User, models.SET_NULL, null=True)
    account = models.ForeignKey(Account, models.CASCADE)
    email_id = models.BigIntegerField()
    what = models.CharField(max_length=50)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        permissions = [("read_message_text", "Can read the text of messages")]

    @override
    def __str__(self) -> str:
        return f"{self.staff} read {self.email_id}"


class Retention(models.Model):
    """For how long an account keeps what lies in its Trash, or Junk."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    role = models.CharField(max_length=10, help_text=_("trash or junk"))
    days = models.PositiveIntegerField(help_text=_("0: for ever"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "role"], name="retention_account_role"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.role}: {self.days} days"


class JunkReport(models.Model):
    """What somebody said of an e-mail: junk, or not."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    email_id = models.BigIntegerField()
    is_junk = models.BooleanField()
    user = models.ForeignKey(User, models.SET_NULL, null=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email_id"], name="junkreport_account_email"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.email_id}: {'junk' if self.is_junk else 'not junk'}"
