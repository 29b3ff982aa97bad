"""The search app: tables on PostgreSQL; SQLite has a file of its own for it."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """The index of texts."""

    name = "mailhost.search"
    label = "search"
