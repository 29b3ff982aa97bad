"""Forms: log in, write, name a folder."""

from collections.abc import Sequence
from typing import Any

from allauth.account.forms import LoginForm as BaseLoginForm
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from mailhost.mime.addresses import Address, parse_addresses

LONGEST_TEXT = 2_000_000  # characters
LONGEST_HTML = 20_000_000  # with pictures that were pasted


class LoginForm(BaseLoginForm):  # type: ignore[misc]  # it has no types
    """E-mail address and password; accounts.auth decides."""

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget = forms.EmailInput(
            attrs={"autocomplete": "username", "autofocus": True, "required": True}
        )
        self.fields["login"].label = _("E-mail address")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)


class Addresses(forms.CharField):
    """A list of addresses as people write it."""

    @override
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        # Semicolons are what another mail program taught people; groups are rare.
        if any(ord(c) < 32 or ord(c) == 127 for c in text):
            raise ValidationError(_("There are line ends in the addresses."))
        found = parse_addresses(text.replace(";", ",").encode("utf-8", "replace"))
        wrong = [p.addr or p.name for p in found if not _can_be(p)]
        if wrong or (text.strip(" ,;") and not found):
            raise ValidationError(
                _("This is not an e-mail address: %(wrong)s"),
                params={"wrong": (wrong or [text])[0][:100]},
            )
        return list(found)


def _can_be(person: Address) -> bool:
    local, host = person.mailbox, person.host
    parts = (local, host)
    return all(parts) and not any(c.isspace() or c in "<>,;" for p in parts for c in p)


class Files(forms.FileField):
    """Any number of files."""

    class Input(forms.ClearableFileInput):
        """Takes several."""

        allow_multiple_selected = True

    widget = Input

    @override
    def clean(self, data: Any, initial: Any = None) -> Any:
        given: Sequence[UploadedFile[bytes]] = (
            data if isinstance(data, list | tuple) else []
        )
        return [file for file in given if file]


class ComposeForm(forms.Form):
    """A message being written."""

    sender = forms.ChoiceField(label=_("From"))
    to = Addresses(label=_("To"), required=False)
    cc = Addresses(label=_("Cc"), required=False)
    bcc = Addresses(label=_("Bcc"), required=False)
    subject = forms.CharField(label=_("Subject"), required=False, max_length=2000)
    text = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea,
    )
    html = forms.CharField(
        required=False,
        max_length=LONGEST_HTML,
        strip=False,
        widget=forms.Textarea(attrs={"hidden": True}),
    )
    plain = forms.BooleanField(required=False, widget=forms.HiddenInput)
    later = forms.DateTimeField(
        label=_("Send later"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M"],
    )
    importance = forms.ChoiceField(
        label=_("Importance"),
        required=False,
        choices=[("", _("normal")), ("high", _("high")), ("low", _("low"))],
    )
    receipt = forms.BooleanField(
        label=_("Ask for a receipt on reading"), required=False
    )
    remind = forms.TypedChoiceField(
        label=_("Remind me if nobody answers"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", _("never")),
            ("1", _("after a day")),
            ("3", _("after three days")),
            ("7", _("after a week")),
            ("14", _("after two weeks")),
        ],
    )
    attached = Files(label=_("Attach files"), required=False)
    # The message that is answered or forwarded, and the draft this continues.
    origin = forms.CharField(required=False, widget=forms.HiddenInput)
    kind = forms.CharField(required=False, widget=forms.HiddenInput)
    draft = forms.CharField(required=False, widget=forms.HiddenInput)

    @override
    def __init__(
        self, senders: Sequence[tuple[str, str]], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        sender = self.fields["sender"]
        assert isinstance(sender, forms.ChoiceField)
        sender.choices = list(senders)
        for name in ("to", "cc", "bcc"):
            self.fields[name].widget.attrs.update(
                {
                    "autocomplete": "off",
                    "inputmode": "email",
                    "spellcheck": "false",
                    "data-people": True,
                }
            )


class FolderForm(forms.Form):
    """The name of a folder."""

    name = forms.CharField(label=_("Name"), max_length=1000)
