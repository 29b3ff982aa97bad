"""Connects the signals of lower layers to what upper layers do; names the jobs."""

from datetime import timedelta
from typing import Any

from django.db.models.signals import post_delete, post_save

from accounts import signals
from accounts.models import Account, Membership
from mailhost.jobs.registry import register
from mailhost.mime.message import PARSER_VERSION
from mailhost.screening.signals import screened


def connect() -> None:
    """Connect everything; called once, when the apps are ready."""
    signals.account_created.connect(make_folders, dispatch_uid="default folders")
    for signal in (post_save, post_delete):
        signal.connect(tell_of_rights, Membership, dispatch_uid="membership rights")
    screened.connect(count_for_report, dispatch_uid="dmarc report")
    name_jobs()


def name_jobs() -> None:
    """Say what runs again and again. See mailhost/jobs."""
    hour = timedelta(hours=1)
    register("collect", "mailhost.store.maintenance.collect", every=hour, lease=hour)
    register("send", "mailhost.delivery.scheduled.send")
    register("wake", "mailhost.store.snoozing.wake")
    register("remind", "mailhost.store.reminding.come_back")
    register("sweep senders", "mailhost.sending.limits.sweep", every=24 * hour)
    register("sweep sent", "mailhost.outbound.states.sweep", every=24 * hour)
    register("sweep queue", "mailhost.outbound.queue.sweep", every=hour)
    register("retention", "mailhost.store.retention.sweep", every=hour, lease=hour)
    carry = "mailhost.webmail.transfers"
    minutes = timedelta(minutes=3)
    register("import mail", f"{carry}.running.run", lease=minutes)
    register("sweep transfers", f"{carry}.uploads.sweep", every=hour)
    register("prune greylist", "mailhost.screening.greylist.prune", every=hour)
    register("forget strangers", "mailhost.screening.strangers.prune", every=hour)
    register("forget logins", "accounts.housekeeping.prune", every=hour)
    register("remove accounts", "mailhost.provision.remove_deleted", every=hour)
    register("daily reports", "mailhost.outbound.daily.send", every=hour, lease=hour)
    register("renew policies", "mailhost.outbound.renewal.renew", every=hour)
    register("certificate", "mailhost.certificates.ordering.renew", alone=True)
    register("certificates", "mailhost.certificates.ordering.look_after", every=hour)
    render = "mailhost.store.rendering.render_again"
    register("render", render, once=str(PARSER_VERSION), lease=6 * hour)


def count_for_report(**arguments: Any) -> None:
    """Count a message that was looked at for the report to its author's domain."""
    from mailhost.seen import count

    count(**arguments)


def make_folders(account: Account, **_: Any) -> None:
    """Give a new account its folders, in the transaction that makes it."""
    from mailhost.store.folders import make_default_folders

    make_default_folders(account.pk)


def tell_of_rights(instance: Membership, **_: Any) -> None:
    """Let open sessions hear of who may do what, in the transaction that says so."""
    from mailhost.store.acl import membership_changed

    membership_changed(instance.account_id, instance.user_id)
