"""The app of the protocol servers."""

from django.apps import AppConfig


class ProtocolsConfig(AppConfig):
    """Has no models: it is here for its management command."""

    name = "protocols"
