"""What people fill in at the door and in the first run."""

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from departments.forms import VerbForm
from departments.presets import PRESETS
from socialhub import demo

LOOPBACK = ("127.0.0.1", "::1", "")  # "": a unix socket


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "This name and this password do not belong together.",
        "inactive": "This name and this password do not belong together.",
        "demo": "The demo’s password opens the door in demo mode alone, and only from this machine.",
    }

    def clean_username(self):
        return self.cleaned_data["username"].strip().lower()

    def confirm_login_allowed(self, user):
        """The demo's password is known to everybody, so it must never open a house that others can reach."""
        super().confirm_login_allowed(user)
        here = settings.DEMO and self.request.META.get("REMOTE_ADDR", "") in LOOPBACK
        if self.cleaned_data.get("password") == demo.PASSWORD and not here:
            raise ValidationError(self.error_messages["demo"], code="demo")


class FirstAdminForm(VerbForm):
    organisation = forms.CharField(max_length=120, help_text="Stands at the top of every page.")
    name = forms.CharField(max_length=120, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    username = forms.CharField(
        max_length=150, label="Sign-in name", help_text="Small letters, digits and . - _ @ +",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    password = forms.CharField(
        strip=False, help_text="Ten signs at least.", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )


class DepartmentsForm(VerbForm):
    """Which departments there are: presets by tick, each under a name of one's own if wanted, and others by name."""

    own = forms.CharField(
        required=False, label="Others", help_text="One name a line. You can say more about each later.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    coordinate = forms.BooleanField(
        required=False, initial=True, label="I coordinate as well, for now",
        help_text="The coordinator sees all that is not confidential and places what nobody owns.",
    )  # fmt: skip

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.presets = [preset for preset in PRESETS if not preset.is_triage]
        for preset in self.presets:
            self.fields[f"with-{preset.slug}"] = forms.BooleanField(required=False, initial=True)
            self.fields[f"name-{preset.slug}"] = forms.CharField(
                required=False,
                max_length=80,
                initial=preset.name,
                widget=forms.TextInput(attrs={"class": "field small"}),
            )

    def rows(self):
        return [(preset, self[f"with-{preset.slug}"], self[f"name-{preset.slug}"]) for preset in self.presets]

    def names(self) -> dict[str, str]:
        """Name by slug of the presets that were ticked."""
        given = self.cleaned_data
        return {each.slug: given[f"name-{each.slug}"] for each in self.presets if given[f"with-{each.slug}"]}

    def own_names(self) -> list[str]:
        return list(dict.fromkeys(line.strip() for line in self.cleaned_data["own"].splitlines() if line.strip()))
