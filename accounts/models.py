"""Domains, users, the accounts that own mail, and the addresses that lead to them."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    Group,
    PermissionsMixin,
)
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts import scram
from accounts.attempts import LoginFailures, LoginRecord
from accounts.credentials import (
    AppPassword,
    ExternalIdentity,
    Revocation,
)
from accounts.names import domain_for_people, fold_domain, fold_local
from accounts.revocation import revoke, revoke_all

__all__ = [
    "Account", "Address", "AppPassword", "Domain", "ExternalIdentity",
    "LoginFailures", "LoginRecord", "Membership", "Revocation", "User", "UserManager",
    "normalise_email",
]  # fmt: skip


class Domain(models.Model):
    """A mail domain this host is responsible for."""

    name = models.CharField(
        max_length=255, unique=True, help_text=_("A-label, lower case")
    )
    unicode_name = models.CharField(
        max_length=255, blank=True, help_text=_("the same as people read it")
    )
    active = models.BooleanField(default=True)
    catch_all = models.ForeignKey(
        "Address",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("gets what is sent to an unknown address of this domain"),
    )
    plus_separators = models.CharField(
        max_length=4,
        default="+",
        blank=True,
        help_text=_("characters that start a detail: alice+shop"),
    )
    default_quota_bytes = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("octets for each new account; empty: the server's default"),
    )
    administrators: "models.ManyToManyField[User, Any]" = models.ManyToManyField(
        "User",
        related_name="administered_domains",
        blank=True,
        help_text=_("manage users and addresses of this domain, and read no mail"),
    )
    own_aliases = models.PositiveSmallIntegerField(
        default=0, help_text=_("aliases that each user may make for themselves")
    )
    second_factor = models.BooleanField(
        _("needs a second factor"),
        default=False,
        help_text=_("for all its users: mail programs need app passwords or tokens"),
    )
    # What it may hold; asked by accounts.limits wherever something is made.
    most_accounts = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("personal and shared; empty: no limit")
    )
    most_aliases = models.PositiveIntegerField(
        null=True, blank=True,
        help_text=_("addresses that are nobody's login; empty: no limit"),
    )  # fmt: skip
    most_quota_bytes = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("octets, the quotas of all its accounts together; empty: no limit"),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    @override
    def __str__(self) -> str:
        return self.unicode_name or self.name

    @override
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save under the name as it is compared; who needs more logs in again."""
        self.name = fold_domain(self.name)
        self.unicode_name = self.unicode_name or domain_for_people(self.name)
        had = Domain.objects.filter(pk=self.pk, second_factor=True)
        demands_more = (
            self.second_factor and not self._state.adding and not had.exists()
        )
        with transaction.atomic():
            super().save(*args, **kwargs)
            if demands_more:
                people = self.people()
                people.update(credential_version=models.F("credential_version") + 1)
                revoke_all(list(people.values_list("pk", flat=True)))

    def people(self) -> "models.QuerySet[User]":
        """Return whose login is an address of this domain."""
        here = models.Q(email__endswith=f"@{self.name}")
        return User.objects.filter(
            here | models.Q(email__endswith=f"@{self.unicode_name.casefold()}")
        )


class UserManager(BaseUserManager["User"]):
    """Makes users whose login is an e-mail address."""

    use_in_migrations = True

    def create_user(
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Save and return a user; without a password nobody can log in as them."""
        user = self.model(email=normalise_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Save and return a user who may do everything in the admin."""
        return self.create_user(
            email, password, **{"is_staff": True, "is_superuser": True, **fields}
        )

    @override
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalise_email(username or ""))


def normalise_email(email: str) -> str:
    """Fold the case and the width of an e-mail address, as logins compare it."""
    local, at, domain = email.strip().rpartition("@")
    return f"{local.casefold()}{at}{domain.casefold()}"


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in. Mail belongs to accounts, not to users."""

    email = models.EmailField(_("e-mail address"), max_length=320, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    is_active = models.BooleanField(_("may log in"), default=True)
    is_staff = models.BooleanField(_("may enter the admin"), default=False)
    second_factor = models.BooleanField(
        _("needs a second factor"),
        default=False,
        help_text=_("mail programs then need app passwords or tokens"),
    )
    language = models.CharField(_("language"), max_length=16, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    WEEK_STARTS = ((1, _("Monday")), (0, _("Sunday")), (6, _("Saturday")))
    # As Django counts them; None: Monday.
    week_start = models.PositiveSmallIntegerField(
        _("first day of the week"),
        null=True,
        blank=True,
        choices=WEEK_STARTS,
    )
    # Rises when the password or the standing changes: what was verified before is void.
    credential_version = models.PositiveIntegerField(default=1, editable=False)
    # For SCRAM; None of a user who is older than SCRAM here: scram.made_up_salt.
    scram_salt = models.BinaryField(
        max_length=32, null=True, default=scram.new_salt, editable=False
    )
    scram_keys = models.JSONField(null=True, editable=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    # The quota of the account that is made with a new user; None: the domain's.
    first_quota: int | None = None

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    @override
    def __str__(self) -> str:
        return self.email

    @override
    def set_password(self, raw_password: str | None) -> None:
        """Hash it; SCRAM keys too, if a setting wants them for users' own passwords."""
        super().set_password(raw_password)
        keys = {}
        if raw_password is not None:
            keys = scram.keys_for_password(raw_password, self.password, self.salt)
        self.scram_keys = keys or None

    @override
    def has_usable_password(self) -> bool:
        """Tell whether to ask for a password: another backend may know one."""
        return (
            len(settings.AUTHENTICATION_BACKENDS) > 1 or super().has_usable_password()
        )

    @property
    def salt(self) -> bytes:
        """The user's one salt, for SCRAM."""
        return bytes(self.scram_salt or scram.made_up_salt(self.email))

    @override
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new password or standing makes what was verified before void.

        `QuerySet.update()` does not come by here: never use it for these fields.
        """
        new_password = not self._state.adding and self._password_differs()
        changed = not self._state.adding and self._credentials_differ()
        if changed and kwargs.get("update_fields") is not None:
            fields = {*kwargs["update_fields"], "credential_version"}
            keys = {"scram_keys"} if "password" in fields else set()
            kwargs["update_fields"] = fields | keys
        with transaction.atomic():
            self._check_limits()
            super().save(*args, **kwargs)
            if changed:
                revoke(self.pk, grants=new_password)

    def _check_limits(self) -> None:
        from accounts import limits  # it asks the models

        before = User.objects.filter(pk=self.pk).values_list("email", flat=True).first()
        if before is not None and before != self.email:
            limits.check_rename(self, before)

    def _password_differs(self) -> bool:
        return not User.objects.filter(pk=self.pk, password=self.password).exists()

    def _credentials_differ(self) -> bool:
        old = (
            User.objects.filter(pk=self.pk)
            .values_list("password", "is_active", "credential_version", "second_factor")
            .first()
        )
        if old is None:
            return False
        demands_more = self.second_factor and not old[3]
        if old[:2] == (self.password, self.is_active) and not demands_more:
            return False
        self.credential_version = old[2] + 1
        return True


class Account(models.Model):
    """The owner of folders: one per user, and shared ones such as support@."""

    class Kind(models.TextChoices):
        """Whose it is."""

        PERSONAL = "personal", _("personal")
        SHARED = "shared", _("shared")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=200)
    owner = models.OneToOneField(
        User, models.CASCADE, null=True, blank=True, related_name="account"
    )
    quota_bytes = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("octets; empty: the default of the domain, then of the server"),
    )
    quota_messages = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("messages; empty: no limit"),
    )
    active = models.BooleanField(default=True)
    takes_mail = models.BooleanField(
        _("takes mail while suspended"), default=False, help_text=_("if not active")
    )
    domain = models.ForeignKey(
        Domain,
        models.SET_NULL,
        null=True,
        blank=True,
        help_text=_("whose administrators manage it; for shared accounts"),
    )
    deleted_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("removed some time after")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="account_owner_iff_personal",
                condition=models.Q(kind="personal", owner__isnull=False)
                | models.Q(kind="shared", owner__isnull=True),
            )
        ]

    @override
    def __str__(self) -> str:
        return self.name

    @override
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save within the limits of the domain."""
        with transaction.atomic():
            self.clean()
            super().save(*args, **kwargs)

    @override
    def clean(self) -> None:
        """Take the domain's quota if it is new. Raises DomainFull."""
        from accounts import limits  # it asks the models

        if self._state.adding and self.quota_bytes is None:
            domain = limits.home_of(self)
            self.quota_bytes = domain.default_quota_bytes if domain else None
        limits.check_account(self)


class Membership(models.Model):
    """What a user, or a group of users, may do in a shared account."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True)
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True)
    read = models.BooleanField(default=True)
    write = models.BooleanField(default=False)
    send_as = models.BooleanField(default=False)
    manage = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "user"], name="membership_account_user"
            ),
            models.UniqueConstraint(
                fields=["account", "group"], name="membership_account_group"
            ),
            models.CheckConstraint(
                name="membership_user_or_group",
                condition=models.Q(user__isnull=False, group__isnull=True)
                | models.Q(user__isnull=True, group__isnull=False),
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.user or self.group} in {self.account}"


class Address(models.Model):
    """A local part of a domain and where its mail goes."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="addresses")
    local_part = models.CharField(
        max_length=64, help_text=_("case-folded, without the @")
    )
    accounts: "models.ManyToManyField[Account, Any]" = models.ManyToManyField(
        Account, related_name="addresses", blank=True
    )
    forward_to = models.JSONField(
        default=list, blank=True, help_text=_("outside addresses, a list of strings")
    )
    active = models.BooleanField(default=True)
    own = models.BooleanField(
        default=False, editable=False, help_text=_("made by the user themselves")
    )

    class Meta:
        verbose_name_plural = _("addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "local_part"], name="address_domain_local_part"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"

    @override
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save under the local part as it is compared, within the domain's limits."""
        self.local_part = fold_local(self.local_part)
        with transaction.atomic():
            self.clean()
            super().save(*args, **kwargs)

    @override
    def clean(self) -> None:
        """Raise DomainFull if the domain has no room for it."""
        from accounts import limits  # it asks the models

        if self.domain_id is not None:
            limits.check_address(self)
