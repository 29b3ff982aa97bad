"""Write docs/settings.md from the comments of the settings file."""

from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from mailhost import settingsdoc


class Command(BaseCommand):
    """manage.py settingsdoc."""

    help = "Write docs/settings.md from the comments of mailhost/settings.py."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        source = settingsdoc.SOURCE.read_text("utf-8")
        settingsdoc.PAGE.write_text(settingsdoc.page(source), "utf-8")
        self.stdout.write(f"wrote {settingsdoc.PAGE.name}")
