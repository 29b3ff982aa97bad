"""An app password opens mail programs, never a browser's session."""

import pytest
from django.contrib.auth import authenticate

from accounts import apppasswords
from accounts.models import User
from tests.conftest import PASSWORD


@pytest.mark.django_db
def test_an_app_password_is_no_web_login(alice: User) -> None:
    _, text = apppasswords.create(alice.pk, "phone", ["imap", "web"])
    assert authenticate(None, username=alice.email, password=PASSWORD) == alice
    assert authenticate(None, username=alice.email, password=text) is None
