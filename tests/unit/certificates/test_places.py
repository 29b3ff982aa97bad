"""What may become the name of a file, and of a certificate."""

import pytest

from mailhost.certificates.places import is_name
from tests.unit.certificates.conftest import HOST


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (HOST, True),
        ("xn--bcher-kva.example", True),
        ("a." * 114 + "b", True),
        ("a." * 115 + "b", False),
        ("localhost", False),
        ("192.0.2.1", False),
        ("../../etc/passwd", False),
        ("a/b.example", False),
        ("a..example", False),
        ("-a.example", False),
        ("a-.example", False),
        (".example.test", False),
        ("A.example", False),
        ("a_b.example", False),
        ("a.example\n", False),
        ("a.example\0", False),
        ("*.example.test", False),
    ],
)
def test_what_can_have_a_certificate(name: str, is_one: object) -> None:
    assert is_name(name) is is_one
