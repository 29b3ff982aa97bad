"""Pictures from elsewhere: only through us, only when asked for, only pictures.

Who sends mail learns neither when it is read nor from where: the server asks, with
`mailhost.fetch` and its bounds, for a URL that our own sanitiser has signed.
"""

from asgiref.sync import async_to_sync
from django.http import Http404
from django.urls import reverse

from accounts.models import User
from mailhost import fetch
from mailhost.webmail import signing
from mailhost.webmail.models import Preferences, SenderChoice

MOST_OCTETS = 8 * 1024 * 1024
SECONDS = 10.0
# What a picture begins with; SVG is none. The server's word on it does not count.
KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)


def url_for(user: User, url: str) -> str:
    """Return the URL of ours by which a picture elsewhere is shown."""
    return reverse("webmail:picture", args=[signing.token(user, signing.PICTURE, url)])


def fetched(user: User, token: str) -> tuple[bytes, str]:
    """Return the octets and type of a picture that a token names, or raise Http404."""
    (url,) = signing.read(user, signing.PICTURE, token)
    try:
        answer = async_to_sync(fetch.get)(
            str(url),
            most_octets=MOST_OCTETS,
            seconds=SECONDS,
            schemes=("https", "http"),
        )
    except fetch.Failed:
        raise Http404 from None
    kind = kind_of(answer.body)
    if answer.status != 200 or kind is None:
        raise Http404
    return answer.body, kind


def kind_of(octets: bytes) -> str | None:
    """Return the type of a raster picture by its first octets."""
    if octets[:4] == b"RIFF" and octets[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begin, kind in KINDS if octets.startswith(begin)), None)


def are_wanted(user: User, preferences: Preferences, sender: str) -> bool:
    """Tell whether mail of this sender shows pictures from elsewhere unasked."""
    if preferences.pictures == Preferences.Pictures.ALWAYS:
        return True
    mine = SenderChoice.objects.filter(user=user, address=sender.casefold())
    return bool(sender) and mine.filter(pictures=True).exists()


def want(user: User, sender: str, *, wanted: bool) -> None:
    """Keep the choice for a sender."""
    SenderChoice.objects.update_or_create(
        user=user, address=sender.casefold()[:320], defaults={"pictures": wanted}
    )
