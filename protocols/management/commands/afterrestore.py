"""After a backup was put back: mail programs must not take new mail for old."""

from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from accounts.models import Account
from mailhost.store.gate import gate
from mailhost.store.restore import renew


class Command(BaseCommand):
    """manage.py afterrestore."""

    help = (
        "Run once after a backup was restored, before the servers start: every folder"
        " gets a new UIDVALIDITY, so that mail programs read it anew."
    )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for account_id in Account.objects.order_by("pk").values_list("pk", flat=True):
            count += gate.write_sync([account_id], renew, account_id)
        gate.stop()
        self.stdout.write(f"{count} folders have a new UIDVALIDITY")
