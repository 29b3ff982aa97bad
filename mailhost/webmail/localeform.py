"""The form of a language, a time zone and a first day of the week."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils import formats, timezone, translation
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts import locales
from accounts.models import User

if TYPE_CHECKING:  # Django's own has no type parameters
    LocaleBase = forms.ModelForm[User]
else:
    LocaleBase = forms.ModelForm


class LocaleForm(LocaleBase):
    """Language, zone, first day of the week."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"))

    class Meta:
        model = User
        fields = ("language", "time_zone", "week_start")

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["language"] = locales.language_of(self.instance) or _spoken()
        self.initial["time_zone"] = str(locales.zone_of(self.instance))
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = _zones(self.initial["time_zone"])
        self.initial["week_start"] = locales.week_start(self.instance)
        week = self.fields["week_start"]
        assert isinstance(week, forms.TypedChoiceField)
        week.required, week.choices = True, User.WEEK_STARTS

    @override
    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.save(update_fields=self.Meta.fields)
        return user


def _spoken() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE


def _zones(current: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the zones by continent, and the one in use wherever it stands."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in dict.fromkeys((*locales.zones(), current)):
        area, _slash, place = name.partition("/")
        words = (place or area).replace("_", " ").replace("/", " – ")
        groups.setdefault(area, []).append((name, words))
    return list(groups.items())


def now() -> str:
    """Return the moment as it is written here: people see whether it is their time."""
    return formats.date_format(timezone.localtime(), "DATETIME_FORMAT")
