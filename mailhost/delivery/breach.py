"""The administrators hear of a user who went over a limit and is held."""

import logging
import secrets
from email.utils import format_datetime

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from mailhost.delivery.incoming import deliver
from mailhost.delivery.routes import Route, route
from mailhost.store.content import prepare
from mailhost.store.gate import gate
from mailhost.store.values import Target

log = logging.getLogger(__name__)

POSTMASTER = "postmaster"


async def tell(user_id: int, why: str) -> None:
    """Write to the administrators; what goes wrong is logged, no more."""
    try:
        octets, way = await gate.read(_letter, user_id, why)
        if way.is_known:
            known = {POSTMASTER: way}
            await deliver(octets, mail_from="", recipients=[POSTMASTER], known=known)
    except Exception:
        log.exception("the administrators were not told of user %s", user_id)


def tell_sync(user_id: int, why: str) -> None:
    """Do as `tell`, in a thread."""
    try:
        octets, way = _letter(user_id, why)
        targets = tuple(Target(a, delivered_to=POSTMASTER) for a in way.accounts)
        if targets:
            gate.deliver_sync(prepare(b"Return-Path: <>\r\n" + octets), targets)
    except Exception:
        log.exception("the administrators were not told of user %s", user_id)


def _wording(login: str, why: str) -> str:
    return _(
        "%(login)s went over a limit (%(why)s). Nothing more is sent for them, and\n"
        "what they have queued is held, until you release them in the admin: Senders.\n"
        "If it was not them who sent, change their password first."
    ) % {"login": login, "why": why}


def _letter(user_id: int, why: str) -> tuple[bytes, Route]:
    host = settings.MAILHOST_HOSTNAME
    login = User.objects.values_list("email", flat=True).get(pk=user_id)
    with translation.override(settings.LANGUAGE_CODE):
        text = _wording(login, why)
    header = (
        f"From: Mail server <{POSTMASTER}@{host}>\n"
        f"To: {POSTMASTER}@{host}\n"
        "Subject: Sending is stopped for a user\n"
        f"Date: {format_datetime(timezone.now())}\n"
        f"Message-ID: <{secrets.token_hex(16)}@{host}>\n"
        "Auto-Submitted: auto-generated\n"
        "MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: 8bit\n\n"
    )
    octets = f"{header}{text}\n".replace("\n", "\r\n").encode()
    return octets, route(POSTMASTER)
