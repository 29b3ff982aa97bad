"""Whatever a client answers, each mechanism asks, claims, or refuses by SaslError."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from accounts.auth import LoginRefused, WrongCredentials
from accounts.claims import Salted
from accounts.scram import Parameters
from protocols.sasl import MECHANISMS, At, Challenge, Exchange, SaslError

WORDS = st.sampled_from(
    [b"n,", b"y,", b"p=tls-unique,", b"a=x,", b",", b"n=a", b"r=b", b"=2C", b"=",
     b"m=x,", b"c=biws", b"p=", b"\1", b"auth=Bearer x", b"user=a", b"\0", b"\xff"]
)  # fmt: skip
RESPONSES = st.lists(WORDS | st.binary(max_size=20), max_size=12).map(b"".join)
AT = At(tls=True, emails=("a@example.test", "b@example.test"))


@given(st.sampled_from(sorted(MECHANISMS)), st.lists(RESPONSES, max_size=4))
def test_it_ends_or_asks(name: str, responses: list[bytes]) -> None:
    exchange = Exchange(MECHANISMS[name][0](AT))
    with contextlib.suppress(SaslError, LoginRefused):
        for response in responses:
            said = exchange.step(response)
            if isinstance(said, Salted):
                said = exchange.answered(Parameters(b"salt", 4096))
            elif not isinstance(said, Challenge):
                said = exchange.refused(WrongCredentials())
            assert isinstance(said, Challenge)
