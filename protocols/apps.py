"""The app of the protocol servers."""

from django.apps import AppConfig
from typing_extensions import override


class ProtocolsConfig(AppConfig):
    """The servers, who is connected to them, and the commands to run them."""

    name = "protocols"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        from protocols.common import watcher

        watcher.connect()
