"""Jobs run when they are due, once, and again after a failure."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from mailhost.jobs import registry, runner, schedule
from mailhost.jobs.models import Job
from mailhost.jobs.registry import register
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
HOUR = timedelta(hours=1)
ran: list[str] = []


def note(what: str = "") -> dict[str, str] | None:
    ran.append(what)
    return {"what": what + "."}


def fail() -> None:
    raise ValueError("no such thing")


def plan_anew() -> None:
    schedule.later("anew", due=timezone.now() + HOUR)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "KINDS", {})
    for module in (registry, runner, schedule):
        monkeypatch.setattr(module, "KINDS", registry.KINDS)
    ran.clear()
    register("one", f"{__name__}.note")
    register("failing", f"{__name__}.fail")
    register("anew", f"{__name__}.plan_anew")


def test_it_runs_what_is_due_and_forgets_it() -> None:
    now = timezone.now()
    schedule.later("one", {"what": "now"}, key="a")
    schedule.later("one", {"what": "then"}, key="b", due=now + HOUR)
    assert runner.run_due() == 1
    assert ran == ["now"]
    assert Job.objects.get().key == "b"


def test_planning_again_moves_it() -> None:
    for what in ("first", "second"):
        schedule.later("one", {"what": what}, key="a")
    runner.run_due()
    assert ran == ["second"]


def test_of_what_runs_alone_one_runs_at_a_time() -> None:
    register("alone", f"{__name__}.look", alone=True)
    schedule.later("alone", {"what": "first"}, key="a")
    schedule.later("alone", {"what": "second"}, key="b")
    schedule.later("one", {"what": "other"}, key="c")
    assert runner.run_due() == 2
    assert sorted(ran) == ["busy", "first", "other", "second"]


def look(what: str) -> None:
    """Run beside this one what may, once."""
    ran.append(what)
    if "other" not in ran:
        assert runner.run_next()
        assert not runner.run_next()
        ran.append("busy")


def test_a_job_that_knows_when_to_come_again() -> None:
    register("later", f"{__name__}.come_later")
    schedule.later("later")
    assert runner.run_due() == 1
    job = Job.objects.get()
    assert job.error == "not yet"
    assert job.due is not None
    assert job.due - timezone.now() > timedelta(minutes=59)
    error = runner.run_one("later", "")
    assert isinstance(error, registry.Failed)
    with pytest.raises(runner.Busy):
        runner.run_one("later", "nothing")


def come_later() -> None:
    raise registry.Failed("not yet", HOUR)


def test_what_is_called_off_does_not_run() -> None:
    schedule.later("one", key="a")
    assert schedule.cancel("one", "a")
    assert not schedule.cancel("one", "a")
    assert runner.run_due() == 0


def test_a_failure_waits_longer_each_time_and_says_why() -> None:
    schedule.later("failing")
    job = Job.objects.get()
    pauses = []
    for _ in range(3):
        Job.objects.update(due=timezone.now())
        assert runner.run_due() == 1
        job.refresh_from_db()
        assert job.due is not None
        pauses.append((job.due - timezone.now()).total_seconds())
    assert [round(p / 60) for p in pauses] == [1, 2, 4]
    assert (job.attempts, job.error) == (3, "ValueError: no such thing")


def test_what_another_runner_holds_is_left_until_its_lease_ends() -> None:
    schedule.later("one")
    lease = timezone.now() + HOUR
    Job.objects.update(owner=uuid.uuid4(), lease_until=lease)
    assert runner.run_due() == 0
    assert not schedule.cancel("one", "")
    Job.objects.update(lease_until=timezone.now() - HOUR)
    assert runner.run_due() == 1


def test_a_job_planned_anew_while_it_runs_stays() -> None:
    schedule.later("anew")
    assert runner.run_due() == 1
    due = Job.objects.get().due
    assert due is not None
    assert due > timezone.now()


def test_standing_jobs_run_again_and_keep_what_they_return() -> None:
    register("hourly", f"{__name__}.note", every=HOUR)
    register("once", f"{__name__}.note", once="7")
    for _ in range(2):
        schedule.plan_standing()
    assert Job.objects.count() == 2
    assert runner.run_due() == 2
    hourly, once = Job.objects.order_by("name")
    assert hourly.argument == {"what": "."}
    assert hourly.due is not None
    assert hourly.due > timezone.now() + HOUR / 2
    assert once.due is None
    schedule.plan_standing()
    assert runner.run_due() == 0


def test_nothing_due_costs_one_query() -> None:
    schedule.later("one", due=timezone.now() + HOUR)
    with CaptureQueriesContext(connection) as asked:
        assert runner.run_due() == 0
    assert len(asked) == 1


def test_an_unknown_kind_is_refused_and_left_alone() -> None:
    with pytest.raises(KeyError):
        schedule.later("unheard of")
    Job.objects.create(name="of a newer version", due=timezone.now())
    assert runner.run_due() == 0


def test_the_admin_runs_one_now(alice: User) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    schedule.later("one", due=timezone.now() + HOUR)
    client = Client()
    assert client.login(username=alice.email, password=PASSWORD)
    form = {"action": "run_now", "_selected_action": [Job.objects.get().pk]}
    assert client.post("/admin/jobs/job/", form).status_code == 302
    assert runner.run_due() == 1
