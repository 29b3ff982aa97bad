"""The admin app, with our site; the checks and the wiring of the whole project."""

from django.contrib.admin.apps import AdminConfig
from typing_extensions import override


class MailhostAdminConfig(AdminConfig):
    """Django's admin with our site."""

    default_site = "mailhost.adminsite.MailhostAdminSite"

    @override
    def ready(self) -> None:
        from mailhost import checks, wiring  # noqa: F401 -- registers the checks

        wiring.connect()
        super().ready()
