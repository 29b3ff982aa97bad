"""The conversation with an authority, by the `acme` library. RFC 8555.

Imported where a certificate is asked for, and nowhere else.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from acme import challenges as kinds
from acme import errors, messages
from acme.client import ClientNetwork, ClientV2
from django.conf import settings
from django.utils import timezone
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC
from typing_extensions import override

from mailhost.certificates import challenges, keys
from mailhost.certificates.models import AcmeAccount
from mailhost.certificates.refusals import Refused
from mailhost.sealing import Unreadable, sealed, unsealed

log = logging.getLogger(__name__)

PURPOSE = "acme account"
REQUEST_SECONDS = 30
ORDER_SECONDS = 300  # well within the lease of the job
NONCES = 10  # that may be refused in a row
LONGEST_PAUSE = timedelta(days=7)
ASK_AGAIN = (timedelta(hours=1), timedelta(days=1))  # RFC 9773 §4.3.2
# What the library raises at what is no authority, or a broken one.
STRANGE = (errors.Error, JoseError, ValueError, LookupError, TypeError, AttributeError)
# What only the administrator can change is asked again twice a day.
STANDING = {"externalAccountRequired", "rejectedIdentifier", "caa", "invalidContact"}


class Network(ClientNetwork):
    """Signs and sends; patient with nonces, and remembers when to come again."""

    def __init__(self, key: JWK | None = None) -> None:
        """key: of the account; without it only what is public can be asked."""
        super().__init__(key, alg=ES256, user_agent="mailhost", timeout=REQUEST_SECONDS)
        # The library hands it on to requests, which takes a file, too.
        self.verify_ssl: Any = settings.MAILHOST_ACME_CA_FILE or True
        self.retry_after = ""

    @override
    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        for _ in range(NONCES):
            try:
                return super().post(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":  # RFC 8555 §6.5
                    raise
        return super().post(*args, **kwargs)

    @override
    def _send_request(
        self, method: str, url: str, *args: Any, **kwargs: Any
    ) -> requests.Response:
        response = super()._send_request(method, url, *args, **kwargs)
        self.retry_after = response.headers.get("Retry-After", "")
        return response


def obtain(name: str, secret: str, directory: str) -> str:
    """Return the chain issued for a name and a key, PEM; raises Refused."""
    network = Network()
    with _in_words(directory, network):
        try:
            client = _client(directory, network)
            return _ordered(client, keys.request(name, secret))
        except messages.Error as error:
            if error.code != "accountDoesNotExist":
                raise
        AcmeAccount.objects.filter(directory=directory).update(address="")
        client = _client(directory, network)
        return _ordered(client, keys.request(name, secret))


def suggestion(chain: str, directory: str) -> tuple[datetime | None, datetime]:
    """Return when to renew, if the authority says, and when to ask that again.

    RFC 9773 §4.2. What cannot be known now is None.
    """
    network, again = Network(), datetime.now() + ASK_AGAIN[1] / 4  # noqa: DTZ005 - the library's clock is naive
    when: datetime | None = None
    try:
        with _in_words(directory, network):
            client = ClientV2(ClientV2.get_directory(directory, network), network)
            when, again = client.renewal_time(chain.encode())
    except Refused as error:
        log.info("no renewal information: %s", error)
    now = timezone.now()
    soonest, latest = (now + span for span in ASK_AGAIN)
    return when, min(max(again.astimezone(UTC), soonest), latest)


def _ordered(client: ClientV2, request: bytes) -> str:
    """Go through an order, from the names to the chain. RFC 8555 §7.4."""
    deadline = datetime.now() + timedelta(seconds=ORDER_SECONDS)  # noqa: DTZ005 - the library's clock is naive
    order = client.new_order(request)
    tokens: list[str] = []
    try:
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_PENDING:
                _answer(client, authorization, tokens)
        order = client.poll_authorizations(order, deadline)
        return str(client.finalize_order(order, deadline).fullchain_pem)
    finally:
        challenges.remove(tokens)


def _answer(
    client: ClientV2,
    authorization: messages.AuthorizationResource,
    tokens: list[str],
) -> None:
    """Put the answer of the http-01 challenge in place, and say so. RFC 8555 §8.3."""
    for offered in authorization.body.challenges:
        if isinstance(offered.chall, kinds.HTTP01):
            response, answer = offered.chall.response_and_validation(client.net.key)
            tokens.append(offered.chall.encode("token"))
            challenges.put(tokens[-1], answer)
            client.answer_challenge(offered, response)
            return
    name = authorization.body.identifier.value
    raise Refused(f"The authority offers no http-01 challenge for {name}")


def _client(directory: str, network: Network) -> ClientV2:
    """Return a client with the account of this installation, made if need be."""
    row = _account(directory)
    network.account = None
    network.key = JWKEC(key=keys.key_in(unsealed(PURPOSE, row.secret)))
    client = ClientV2(ClientV2.get_directory(directory, network), network)
    contact = settings.MAILHOST_ACME_CONTACT
    if not row.address:
        row.address, row.contact = _register(client), contact
    elif row.contact != contact:
        row.contact = contact
        known = messages.RegistrationResource(
            uri=row.address, body=messages.Registration()
        )
        update = messages.Registration.from_data(email=contact or None)
        client.update_registration(known, update)
    row.save(update_fields=["address", "contact"])
    network.account = messages.RegistrationResource(
        uri=row.address, body=messages.Registration()
    )
    return client


def _account(directory: str) -> AcmeAccount:
    """Return the row with a key that can be read."""

    def fresh() -> dict[str, str]:
        return {"secret": sealed(PURPOSE, keys.new_key()), "address": ""}

    row, _ = AcmeAccount.objects.get_or_create(directory=directory, defaults=fresh())
    try:
        unsealed(PURPOSE, row.secret)
    except Unreadable:
        log.warning("the account's key was sealed under another SECRET_KEY: a new one")
        row, _ = AcmeAccount.objects.update_or_create(
            directory=directory, defaults=fresh()
        )
    return row


def _register(client: ClientV2) -> str:
    """Make the account, or find it by its key; return its URL. RFC 8555 §7.3."""
    meta = client.directory.meta
    terms = getattr(meta, "terms_of_service", None)
    if terms and not settings.MAILHOST_ACME_AGREE_TERMS:
        raise Refused(
            f"The authority wants its terms of service agreed to: read {terms} and set"
            " MAILHOST_ACME_AGREE_TERMS=yes",
            LONGEST_PAUSE / 14,
        )
    identity, binding = settings.MAILHOST_ACME_EAB_ID, None
    if identity and client.net.key is not None:  # RFC 8555 §7.3.4
        binding = messages.ExternalAccountBinding.from_data(
            client.net.key.public_key(),
            *(identity, settings.MAILHOST_ACME_EAB_KEY, client.directory),
        )
    elif client.external_account_required():
        raise Refused(
            "The authority wants an account of yours: set MAILHOST_ACME_EAB_ID and"
            " MAILHOST_ACME_EAB_KEY as it shows them",
            LONGEST_PAUSE / 14,
        )
    wanted = messages.NewRegistration.from_data(
        email=settings.MAILHOST_ACME_CONTACT or None,
        terms_of_service_agreed=True,
        external_account_binding=binding,
    )
    try:
        return str(client.new_account(wanted).uri)
    except errors.ConflictError as known:
        return known.location


@contextmanager
def _in_words(directory: str, network: Network) -> Iterator[None]:
    """Turn what the library raises into Refused."""
    host = urlsplit(directory).netloc
    try:
        yield
    except messages.Error as error:
        raise Refused(_sentence(error), _pause(error, network)) from error
    except errors.ValidationError as error:
        raise Refused(_why(error)) from error
    except errors.IssuanceError as error:
        raise Refused(_sentence(error.error)) from error
    except errors.TimeoutError as error:
        raise Refused(f"The authority at {host} did not decide in time") from error
    except requests.RequestException as error:
        text = f"The authority at {host} cannot be reached: {_cause(error)}"
        raise Refused(text) from error
    except STRANGE as error:
        text = f"The authority at {host} answers strangely: {error!r:.200}"
        raise Refused(text) from error


def _sentence(error: messages.Error) -> str:
    more = [f"{one.detail}" for one in error.subproblems or () if one.detail]
    text = "; ".join([str(error.detail or error.title or "no reason"), *more])
    return f"The authority says: {text} ({error.code or error.typ})"


def _why(error: errors.ValidationError) -> str:
    """Say what the authority saw when it asked us."""
    found = [
        f"{authorization.body.identifier.value}: {challenge.error.detail}"
        for authorization in error.failed_authzrs
        for challenge in authorization.body.challenges
        if challenge.error is not None
    ]
    return (
        f"The authority did not find our answer. {'; '.join(found)}. Port 80 of the"
        " name must lead to this server: MAILHOST_HTTP_PORT, or the web"
    )


def _pause(error: messages.Error, network: Network) -> timedelta | None:
    """Return how long to leave the authority alone. RFC 8555 §6.6."""
    if error.code in STANDING:
        return LONGEST_PAUSE / 14
    if error.code != "rateLimited":
        return None
    response = requests.Response()
    response.headers["Retry-After"] = network.retry_after
    then = ClientV2.retry_after(response, default=6 * 3600)
    wait = then - datetime.now()  # noqa: DTZ005 - the library's clock is naive
    return min(max(wait, timedelta(minutes=10)), LONGEST_PAUSE)


def _cause(error: BaseException) -> str:
    """Return the innermost reason in few words; the outer ones repeat URLs."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{getattr(error, 'strerror', None) or error}"[:200]
