"""The app of the protocol servers."""

from django.apps import AppConfig


class ProtocolsConfig(AppConfig):
    """Its management command, and what the servers keep."""

    name = "protocols"
