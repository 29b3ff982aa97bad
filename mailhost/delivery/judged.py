"""What is known of a message from the world before it is delivered."""

from dataclasses import dataclass

from mailhost.dnsauth.arcset import Sight


@dataclass(frozen=True, slots=True)
class Judged:
    """What its screening says to the delivery; as it stands here: nothing was asked.

    `sender_is_real`: reports may go to the envelope's sender. Of others we hear only
    while they wait for our answer; to write to them later would be backscatter.
    """

    verdict: str = ""  # JSON, kept with each recipient's message
    is_junk: bool = False
    sender_is_real: bool = True
    sight: Sight | None = None  # what goes on with it where it is forwarded
    reply: str = ""  # the SMTP reply that refuses it, where it may not leave


TRUSTED = Judged()
