"""The only place a login is decided, for every protocol, every mechanism and the web.

`check` takes a claim (accounts.claims) and returns a Login or raises LoginRefused.
Whatever was shown, `allowed` decides last and for all alike: standing, expiry, scope,
second factor. An unknown login costs the same time as a wrong password.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from typing_extensions import override

from accounts import apppasswords, loginlog, passwords, scram, tokens
from accounts.claims import Bearer, Certificate, Claim, Password, Proof
from accounts.known import (
    OWN_PASSWORD,
    Credential,
    Login,
    Standing,
    app_password_credential,
    has_expired,
    standing_of,
    standing_of_id,
)
from accounts.lastuse import note_use
from accounts.limits import DomainFull
from accounts.models import AppPassword, User, normalise_email
from accounts.names import storable
from accounts.refusals import (
    DirectoryAway,
    Disabled,
    Expired,
    LoginRefused,
    NotAllowed,
    NotNow,
    TooManyFailures,
    WrongCredentials,
)
from accounts.throttle import Wait, failures

__all__ = [
    "DirectoryAway", "Disabled", "Expired", "Login", "LoginRefused", "NotAllowed",
    "NotNow", "TooManyFailures", "WrongCredentials", "authenticate", "check", "forget",
    "salted",
]  # fmt: skip

LONGEST_PASSWORD = 1024
MOST_APP_PASSWORDS = 200  # of one user, tried against one SCRAM proof


class Slow(Exception):
    """To go on takes long: a hash, a directory, a provider's keys. Ask `slowly`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """From where a claim comes."""

    protocol: str  # one of apppasswords.SCOPES
    address: str  # the peer's
    client: str = ""  # what the program calls itself
    slowly: bool = True  # may take long, and write

    def look(self, login: str) -> Wait:
        """Return how long a guess has to wait."""
        return failures.look(self.address, login)


def authenticate(login: str, password: str, *, protocol: str, address: str) -> Login:
    """Return who logs in with a password, or raise LoginRefused."""
    return check(Password(login, password), Attempt(protocol, address))


def check(claim: Claim, at: Attempt) -> Login:
    """Return who logs in, or raise WrongCredentials or NotAllowed.

    Synchronous: run it in a thread. Without `at.slowly` it only reads, and raises Slow
    where it would have to do more.
    """
    login = normalise_email(storable(claim.login))[:320]
    standing: Standing | None = None
    try:
        standing, credential = _shown(claim, login, at)
        allowed(standing, credential, at.protocol)
    except WrongCredentials:
        if not isinstance(claim, Bearer):
            standing = standing_of(login)
        failures.note(at.address, "" if isinstance(claim, Bearer) else login)
        _log(standing, at, loginlog.Result.WRONG)
        raise
    except NotAllowed as refused:
        _log(standing, at, loginlog.Result.REFUSED, refused.reason)
        raise
    _log(standing, at, loginlog.Result.IN, credential.name)
    return _welcome(standing, credential, at)


def allowed(standing: Standing, credential: Credential, protocol: str) -> None:
    """Raise NotAllowed where what was shown is right and does not suffice.

    The web asks for its second factor itself.
    """
    if not standing.is_active or not standing.account_active:
        raise Disabled
    if has_expired(credential):
        raise Expired(is_token=credential.app_password is None)
    if credential.scopes is not None and protocol not in credential.scopes:
        raise NotAllowed(
            "This app password is not for this protocol"
            if credential.app_password is not None
            else "This token is not for this protocol"
        )
    wants_more = standing.second_factor or settings.MAILHOST_APP_PASSWORDS_ONLY
    if wants_more and credential.is_password and protocol != "web":
        raise NotAllowed("An app password is needed here")


def salted(login: str) -> scram.Parameters:
    """Return what a SCRAM exchange begins with; of nobody, too. Reads."""
    name = normalise_email(storable(login))[:320]
    found = User.objects.filter(email=name).values_list("scram_salt", flat=True).first()
    salt = bytes(found) if found else scram.made_up_salt(name)
    return scram.Parameters(salt, scram.ITERATIONS)


def forget() -> None:
    """Forget all verified passwords, failures and notes of this process."""
    passwords.forget()
    failures.clear()
    loginlog.clear()


def _shown(claim: Claim, login: str, at: Attempt) -> tuple[Standing, Credential]:
    """Return whose a claim is and what was shown for it. Raises WrongCredentials."""
    match claim:
        case Password():
            return _by_password(login, storable(claim.password), at)
        case Proof():
            return _by_proof(claim, login, at)
        case Bearer():
            return _by_token(claim.token, login, at)
        case Certificate():
            return _sure(standing_of(login)), Credential("certificate")


def _by_password(login: str, password: str, at: Attempt) -> tuple[Standing, Credential]:
    if len(password) > LONGEST_PASSWORD:
        raise WrongCredentials
    standing = standing_of(login)
    if row := _app_password(standing, password):
        return _sure(standing), app_password_credential(row)
    wait = _slow_down(standing, login, at)
    remembered = standing is not None and passwords.is_remembered(standing, password)
    if not remembered:
        if not at.slowly:
            raise Slow
        # Where guesses are slowed, one goes on at a time, of all processes.
        if not wait.account_only and not failures.claim(at.address, login):
            raise TooManyFailures(1.0)
        if not passwords.matches(standing, password):
            standing = _elsewhere(login, password, at)
    if wait.pair:
        failures.forgive(at.address, login)
    return _sure(standing), OWN_PASSWORD


def _elsewhere(login: str, password: str, at: Attempt) -> Standing:
    """Ask the other backends; what they say is remembered as ours is."""
    try:
        user_id = passwords.elsewhere(login, password, at.address, at.protocol)
    except passwords.Away:
        raise DirectoryAway from None
    except DomainFull as full:  # a directory knows somebody who is new here
        raise NotAllowed(" ".join(full.messages)) from full
    standing = _sure(None if user_id is None else standing_of_id(user_id))
    if standing.email == login:
        passwords.remember(standing, password)
    return standing


def _by_proof(claim: Proof, login: str, at: Attempt) -> tuple[Standing, Credential]:
    standing = standing_of(login)
    user_id = standing.user_id if standing else 0
    rows = AppPassword.objects.filter(user_id=user_id).order_by("-pk")
    for row in rows[:MOST_APP_PASSWORDS]:
        if answer := _try(row.scram_keys, claim):
            return _sure(standing), app_password_credential(row, answer)
    wait = _slow_down(standing, login, at)
    known = User.objects.filter(pk=user_id).values_list("scram_keys", "password")
    keys, hashed = known.first() or (None, "")
    if not keys or keys.get("for") != scram.fingerprint(hashed):
        keys = None
    answer = _try(keys, claim)
    if answer is None:
        raise WrongCredentials
    if wait.pair:
        failures.forgive(at.address, login)
    return _sure(standing), Credential("password", is_password=True, answer=answer)


def _try(keys: scram.Keys | None, claim: Proof) -> bytes | None:
    return scram.try_proof(keys, claim.mechanism, claim.message, claim.proof)


def _by_token(token: str, login: str, at: Attempt) -> tuple[Standing, Credential]:
    if not at.slowly and not tokens.is_ours(token):
        raise Slow
    found = tokens.find(token)
    standing = _sure(standing_of_id(found.user_id) if found else None)
    if found is None or (login and login != standing.email):
        raise WrongCredentials
    return standing, found.credential


def _sure(standing: Standing | None) -> Standing:
    if standing is None:
        raise WrongCredentials
    return standing


def _slow_down(standing: Standing | None, login: str, at: Attempt) -> Wait:
    """Raise TooManyFailures while guesses have to wait, and this may be one."""
    wait = at.look(login)
    if wait.seconds > 0 and not (
        wait.account_only
        and standing is not None
        and loginlog.is_known(standing.user_id, at.address)
    ):
        raise TooManyFailures(wait.seconds)
    return wait


def _app_password(standing: Standing | None, password: str) -> AppPassword | None:
    key = apppasswords.lookup(password)
    if key is None:
        return None
    user_id = standing.user_id if standing else 0
    return AppPassword.objects.filter(lookup=key, user_id=user_id).first()


def _welcome(standing: Standing, credential: Credential, at: Attempt) -> Login:
    row = credential.app_password
    if row is not None:
        client = loginlog.clean(at.client)
        note_use(row, at.protocol, at.address, client)
    return Login(
        user_id=standing.user_id,
        account_id=standing.account_id or 0,
        email=standing.email,
        app_password_id=row.pk if row else None,
        access_token_id=credential.access_token_id,
        answer=credential.answer,
        expires_at=credential.expires_at,
        version=standing.credential_version,
    )


def _log(
    standing: Standing | None,
    at: Attempt,
    result: loginlog.Result,
    reason: str = "",
) -> None:
    if standing is not None:
        loginlog.note(
            loginlog.Alike(
                standing.user_id, at.protocol, at.address,
                loginlog.clean(at.client), result, reason,
            )
        )  # fmt: skip


class Backend(ModelBackend):
    """Django's door: web logins, the admin's too, take the same way."""

    @override
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        login = username or kwargs.get(User.USERNAME_FIELD)
        if not login or password is None:
            return None
        if isinstance(request, passwords.MailRequest):
            return None  # asked by _elsewhere, which has looked here
        address = request.META.get("REMOTE_ADDR", "") if request else ""
        client = request.META.get("HTTP_USER_AGENT", "") if request else ""
        try:
            found = check(Password(login, password), Attempt("web", address, client))
        except LoginRefused as refused:
            if request is not None:
                request.login_refused = refused  # type: ignore[attr-defined]  # ours
            if passwords.asks_others():
                # They were asked already, and are not a way around a ban.
                raise PermissionDenied from None
            return None
        if found.app_password_id is not None:
            return None  # a browser's session would outlive it and its scope
        return User.objects.get(pk=found.user_id)
