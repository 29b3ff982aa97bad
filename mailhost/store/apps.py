"""What the store does when the process starts."""

from django.apps import AppConfig
from typing_extensions import override


class StoreConfig(AppConfig):
    """Joins the change feed of other processes to this one."""

    name = "mailhost.store"
    label = "store"

    @override
    def ready(self) -> None:
        from mailhost.store import feed

        feed.connect()
