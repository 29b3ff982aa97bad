"""Checks that settings name wrongly stop the start, each with its sentence."""

from pytest_django import Settings

from mailhost.checks import mail_checks


def test_nothing_is_wrong_as_it_comes(settings: Settings) -> None:
    assert mail_checks() == []
    settings.MAILHOST_EXTRA_CHECKS = ["mailhost.screening.checks.skeleton.Skeleton"]
    settings.MAILHOST_SKIPPED_CHECKS = ["skeleton", "spf"]
    assert mail_checks() == []


def test_a_check_that_is_none(settings: Settings) -> None:
    settings.MAILHOST_EXTRA_CHECKS = ["nowhere.Check", "json.dumps", "json.JSONEncoder"]
    found = mail_checks()
    assert [one.id for one in found] == ["mailhost.E002"] * 3
    assert "MAILHOST_EXTRA_CHECKS names 'nowhere.Check'" in found[0].msg


def test_a_name_that_is_none(settings: Settings) -> None:
    settings.MAILHOST_SKIPPED_CHECKS = ["spam"]
    [found] = mail_checks()
    assert "names 'spam'; the checks are attachments, clamav, dkim" in found.msg
