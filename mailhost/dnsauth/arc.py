"""ARC: what those who passed a message on say of how it came to them. RFC 8617."""

from dataclasses import dataclass

from mailhost.dnsauth import work
from mailhost.dnsauth.resolver import Asks
from mailhost.dnsauth.signatures import fetch_keys
from mailhost.dnsauth.signed import ArcVerifier, Keys, Letter, quiet, tags_of

MOST_SETS = 50  # RFC 8617 §5.2 step 1
SIGNED = (b"arc-message-signature", b"arc-seal")
SAID = b"arc-authentication-results"


@dataclass(frozen=True, slots=True)
class Arc:
    """The chain as a whole: none, pass or fail; its seals, newest first."""

    result: str = "none"
    sealers: tuple[str, ...] = ()  # domains
    said: bytes = b""  # the newest ARC-Authentication-Results, without its i=
    reason: str = ""


async def verify(letter: Letter, ask: Asks) -> Arc:
    """Return what holds of the chain; never raises."""
    values = [value for name in SIGNED for value in letter.values(name)]
    if not values and not letter.values(SAID):
        return Arc()
    if len(values) > 2 * MOST_SETS:
        return Arc("fail", reason="The chain is too long")
    known = await fetch_keys(values, ask)
    return await work.run_apart(_verify, letter, values, known)


def _verify(letter: Letter, values: list[bytes], known: Keys) -> Arc:
    verifier = ArcVerifier(logger=quiet)
    verifier.prepare(letter, known)
    try:
        for value in values:
            tags_of(value)
        result, sets, reason = verifier.verify()
    except Exception as error:  # noqa: BLE001 - dkimpy on a stranger's octets
        return Arc("fail", reason=str(error)[:200] or type(error).__name__)
    if result is None:  # the newest seal says the chain had failed before
        result = b"fail"
    sealers = tuple(one["as-domain"].decode("ascii", "replace").lower() for one in sets)
    said = sets[0]["aar-value"].partition(b";")[2] if sets else b""
    return Arc(
        result.decode(), sealers, said, "" if result == b"pass" else str(reason)[:200]
    )
