"""People as CSV: export, and an import that says first what it would do.

Columns: email, name, quota_mb, aliases (spaces between), active (yes, no), password.
Only email is wanted. An address that is there is changed where a cell says something;
an empty cell leaves things as they are. A new user without a password gets a link.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import standing
from accounts.aliases import add_alias, check_alias, read_aliases
from accounts.limits import Rooms
from accounts.models import Account, User, normalise_email
from accounts.names import split_address
from accounts.userforms import MEGABYTE, check_domain, usable_domains

COLUMNS = ("email", "name", "quota_mb", "aliases", "active", "password")
MOST_LINES = 5000
YES, NO = {"yes", "true", "1"}, {"no", "false", "0"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


@dataclass(slots=True)
class Line:
    """What one line wants; `errors` say why it cannot be had."""

    number: int
    email: str
    name: str = ""
    quota_mb: int | None = None
    aliases: list[str] = field(default_factory=list)
    active: bool | None = None
    password: str = field(default="", repr=False)
    user: User | None = None  # None: to be made
    errors: list[str] = field(default_factory=list)


def export(users: QuerySet[User]) -> Iterator[str]:
    """Yield the lines of a CSV file: everything but passwords."""
    yield _line(COLUMNS[:-1])
    whole = users.select_related("account").prefetch_related(
        "account__addresses__domain"
    )
    for user in whole.iterator(500):
        account: Account | None = getattr(user, "account", None)
        quota = account.quota_bytes if account is not None else None
        yield _line(
            (
                user.email,
                _tame(user.name),
                "" if quota is None else str(quota // MEGABYTE),
                " ".join(_aliases_of(user.email, account)),
                "yes" if user.is_active else "no",
            )
        )


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _tame(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _untame(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text


def _aliases_of(email: str, account: Account | None) -> list[str]:
    rows = account.addresses.all() if account is not None else ()
    return sorted({f"{row.local_part}@{row.domain.name}" for row in rows} - {email})


def read(text: str, domains: list[str] | None) -> list[Line]:
    """Return what each line wants and why it cannot be had; nothing is changed.

    domains: those that may be used; None: all. Raises ValidationError for no such file.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        if "email" not in header:
            raise ValidationError(_("The first line names no column “email”."))
        if unknown := set(header) - set(COLUMNS):
            names = ", ".join(sorted(unknown))
            raise ValidationError(_("There is no column %(names)s.") % {"names": names})
        reader.fieldnames = header
        return _check_all(reader, domains)
    except csv.Error as error:
        raise ValidationError(str(error)) from None


def _check_all(reader: "csv.DictReader[str]", domains: list[str] | None) -> list[Line]:
    lines: list[Line] = []
    seen: set[str] = set()
    rooms = Rooms()
    for row in reader:
        if len(lines) >= MOST_LINES:
            raise ValidationError(_("More than %(n)d lines.") % {"n": MOST_LINES})
        cells = {k: (v or "").strip() for k, v in row.items() if k}
        line = Line(reader.line_num, normalise_email(cells.get("email", "")))
        try:
            _find(line, domains)
            _take(line, cells, domains)
            rooms.take(line.email, line.quota_mb, line.aliases, line.user)
        except ValidationError as error:
            line.errors += error.messages
        for name in {line.email, *line.aliases}:
            if name in seen:
                line.errors.append(_("%(name)s stands twice.") % {"name": name})
            seen.add(name)
        lines.append(line)
    return lines


def _find(line: Line, domains: list[str] | None) -> None:
    validate_email(line.email)
    check_domain(line.email, domains)
    line.user = User.objects.filter(email=line.email).first()
    if split_address(line.email)[1] not in usable_domains(domains):
        raise ValidationError(_("This is no domain of this host."))


def _take(line: Line, cells: dict[str, str], domains: list[str] | None) -> None:
    line.name = _untame(cells.get("name", ""))[:200]
    if quota := cells.get("quota_mb"):
        if not (quota.isascii() and quota.isdigit() and len(quota) < 12):
            raise ValidationError(_("quota_mb is no number."))
        line.quota_mb = int(quota)
    if active := cells.get("active", "").lower():
        if active not in YES | NO:
            raise ValidationError(_("active is neither yes nor no."))
        line.active = active in YES
    if password := cells.get("password"):
        validate_password(password, line.user)
        line.password = password
    line.aliases = read_aliases(cells.get("aliases", ""))
    account = Account.objects.filter(owner=line.user).first() if line.user else None
    for alias in line.aliases:
        check_alias(alias, account, usable_domains(domains))


def apply(lines: Iterable[Line]) -> list[User]:
    """Do what the lines want, all or nothing; return new users without a password."""
    with transaction.atomic():
        return [user for line in lines if (user := _apply(line)) is not None]


def _apply(line: Line) -> User | None:
    invited = line.user is None and not line.password
    user = line.user or User(email=line.email)
    user.name = line.name or user.name
    quota = None if line.quota_mb is None else line.quota_mb * MEGABYTE
    user.first_quota = quota
    if line.password or line.user is None:
        user.set_password(line.password or None)
    user.save()
    account = Account.objects.get(owner=user)
    if line.user is not None and quota is not None:
        account.quota_bytes = quota
        account.save(update_fields=["quota_bytes"])
    for alias in line.aliases:
        add_alias(alias, account)
    if line.active is not None and line.active != user.is_active:
        (standing.resume if line.active else standing.suspend)(user)
    return user if invited else None
