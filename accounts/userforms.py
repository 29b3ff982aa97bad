"""The forms of people in the admin: all that a new one needs on one page."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.forms import UserChangeForm as DjangoUserChangeForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.aliases import add_alias, check_alias, read_aliases
from accounts.limits import DomainFull, Rooms
from accounts.models import Account, Address, Domain, User, normalise_email
from accounts.names import fold_local, split_address
from accounts.renaming import check_rename
from accounts.scope import is_above

if TYPE_CHECKING:  # generic for the type checker alone
    ModelForm = forms.ModelForm[User]
    ChangeForm = DjangoUserChangeForm[User]
    AddressBase = forms.ModelForm[Address]
else:
    ModelForm = AddressBase = forms.ModelForm
    ChangeForm = DjangoUserChangeForm

MEGABYTE = 1 << 20


class NewUserForm(ModelForm):
    """Address, name, quota, aliases; a password, or a link to set one.

    `domains`: the names that may be used; None: all of this host, and others.
    """

    domains: list[str] | None = None

    quota_mb = forms.IntegerField(
        label=_("quota, MiB"), min_value=0, required=False,
        help_text=_("empty: the default of the domain, then of the server"),
    )  # fmt: skip
    aliases = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}), required=False,
        help_text=_("other addresses of theirs, spaces between"),
    )  # fmt: skip
    invite = forms.BooleanField(
        label=_("make a link by which they set their password"), required=False
    )
    password1 = forms.CharField(
        label=_("password"), strip=False, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    password2 = forms.CharField(
        label=_("the same again"), strip=False, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        """Compare as logins do, within bounds."""
        email = normalise_email(self.cleaned_data["email"])
        check_domain(email, self.domains)
        if User.objects.filter(email=email).exists():
            raise ValidationError(_("There is such a user already."))
        return email

    def clean_aliases(self) -> list[str]:
        """Return addresses that nobody has."""
        found = read_aliases(self.cleaned_data["aliases"])
        for alias in found:
            check_alias(alias, None, usable_domains(self.domains))
        return found

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._check_room(**cleaned)
        first, second = cleaned.get("password1", ""), cleaned.get("password2", "")
        if cleaned.get("invite"):
            return cleaned
        if not first:
            self.add_error("password1", _("Set one, or make a link."))
        elif first != second:
            self.add_error("password2", _("The two are not the same."))
        else:
            self._check_strength(first)
        return cleaned

    def _check_room(
        self, email: str = "", quota_mb: int | None = None, aliases: Any = (), **_: Any
    ) -> None:
        try:
            Rooms().take(email, quota_mb, aliases)
        except DomainFull as error:
            self.add_error(None, error)

    def _check_strength(self, password: str) -> None:
        try:
            validate_password(password, self.instance)
        except ValidationError as error:
            self.add_error("password1", error)

    @override
    def save(self, commit: bool = True) -> User:
        user = super().save(commit=False)
        password = "" if self.cleaned_data["invite"] else self.cleaned_data["password1"]
        user.set_password(password or None)
        if self.cleaned_data["quota_mb"] is not None:
            user.first_quota = self.cleaned_data["quota_mb"] * MEGABYTE
        if commit:
            user.save()
        return user

    def finish(self, user: User) -> None:
        """Give the account, which is there once the user is saved, the rest."""
        account = Account.objects.get(owner=user)
        for alias in self.cleaned_data["aliases"]:
            add_alias(alias, account)


class UserForm(ChangeForm):
    """A user who is there; another e-mail address leaves the old one as an alias."""

    domains: list[str] | None = None

    class Meta:
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, type]] = {}

    def clean_email(self) -> str:
        """Compare as logins do, within bounds."""
        email = normalise_email(self.cleaned_data["email"])
        if email != self.initial["email"]:
            check_domain(email, self.domains)
            check_rename(self.instance, email)
        return email


class AddressForm(AddressBase):
    """An address; within bounds it is nobody's who has more rights."""

    domains: Any = None  # accounts.scope.Domains, or None

    class Meta:
        model = Address
        fields = "__all__"

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.domains is not None and self._is_above(**cleaned):
            self.add_error("local_part", _("This address is not yours to give."))
        return cleaned

    def _is_above(self, local_part: str = "", domain: Any = None, **_more: Any) -> bool:
        if not local_part or domain is None:
            return False
        return is_above(fold_local(local_part), domain, self.domains)


class OwnPasswordForm(PasswordChangeForm):
    """A user's new password; the old one is checked where all are, and throttled."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        assert isinstance(request.user, User)
        super().__init__(request.user, *args)
        self._request = request

    @override
    def clean_old_password(self) -> str:
        """Return the old password. Raises ValidationError."""
        old: str = self.cleaned_data["old_password"]
        email = self._request.user.get_username()
        if authenticate(self._request, username=email, password=old) is None:
            raise ValidationError(_("This is not your password, or try again later."))
        return old


def check_domain(email: str, domains: list[str] | None) -> None:
    """Raise ValidationError for an address out of bounds."""
    if domains is not None and split_address(email)[1] not in domains:
        raise ValidationError(_("This is not a domain of yours."))


def usable_domains(domains: list[str] | None) -> list[str]:
    """Return the names that aliases may have."""
    if domains is not None:
        return domains
    return list(Domain.objects.values_list("name", flat=True))
