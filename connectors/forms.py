"""What admins fill in about channels. The fields come from what the network asks; the verbs check what is in them."""

from typing import Any

from django import forms

from connectors import configuration
from connectors.contract import Connector, Setting
from connectors.models import Channel
from departments.forms import VerbForm
from departments.models import Department


class ChannelForm(VerbForm):
    """Name, settings and departments of a channel on this network. A setting `rate` is the field `settings.rate`."""

    name = forms.CharField(
        max_length=80, help_text="As colleagues know it, for example “Mirabelo on the demo network”."
    )

    def __init__(self, *args, network: type[Connector], speaks: bool = True, **named):
        super().__init__(*args, **named)
        for setting in configuration.asked(network):
            self.fields[f"settings.{setting.name}"] = _field(setting)
        for role, label, about in _ROLES:
            if role == "speakers" and not (speaks and network.capabilities.replies):
                continue  # nobody can answer there
            self.fields[role] = forms.ModelMultipleChoiceField(
                Department.objects.open(),
                required=False,
                widget=forms.CheckboxSelectMultiple,
                label=label,
                help_text=about,
            )

    @classmethod
    def of(cls, channel: Channel, network: type[Connector], data=None):
        """Filled with how the channel is now."""
        held = {f"settings.{name}": value for name, value in channel.settings.items()}
        people = {"speakers": channel.speakers.all(), "monitors": channel.monitors.all()}
        speaks = channel.replies or not channel.settings.get("query")
        return cls(data, network=network, speaks=speaks, initial={"name": channel.name, **held, **people})

    def parts(self) -> list[tuple[str, list]]:
        """The bound fields as the page groups them."""
        names = list(self.fields)
        faults = [
            self[name] for name in names if name.startswith("settings.") and self.fields[name].label.startswith("Fault")
        ]
        own = [self[name] for name in names if name.startswith("settings.") and self[name] not in faults]
        first = [self[name] for name in ("name", "slug") if name in names]
        secret = [self[name] for name in names if name.startswith("credentials.")]
        parts = [("Sign-in", secret), ("Settings", own)]
        if not any(field.field.required for field in secret):
            parts.reverse()  # few need it
        parts = [("", first), *parts, ("Faults to try", faults)]
        return [(title, fields) for title, fields in parts if fields]

    def ticks(self) -> list:
        return [self[role] for role, _, _ in _ROLES if role in self.fields]


class NewChannelForm(ChannelForm):
    slug = forms.SlugField(
        max_length=50,
        label="Short name",
        help_text="For its address, the API and commands; it can not be changed later.",
    )

    def __init__(self, *args, network: type[Connector], **named):
        super().__init__(*args, network=network, **named)
        self.fields |= _secret_fields(network)


class ConnectForm(VerbForm):
    """New credentials; the old ones are never shown."""

    def __init__(self, *args, network: type[Connector], **named):
        super().__init__(*args, **named)
        self.fields |= _secret_fields(network)


def grouped(said: dict[str, Any]) -> dict[str, Any]:
    """`{"settings.rate": 2}` as `{"settings": {"rate": 2}}`; empty is left out, and the network's default counts."""
    whole: dict[str, Any] = {"settings": {}, "credentials": {}}
    for name, value in said.items():
        group, _, inner = name.partition(".")
        if not inner:
            whole[name] = value
        elif value not in (None, ""):
            whole[group][inner] = value
    return whole


_ROLES = (
    ("speakers", "Who speaks through it", "Their answers go out in this channel’s name."),
    ("monitors", "Who keeps an eye on it", "They see the channel and how it is."),
)


def _field(setting: Setting) -> forms.Field:
    named = {
        "label": setting.label,
        "help_text": setting.help,
        "required": setting.required,
        "initial": setting.default,
    }
    match setting.kind:
        case "flag":
            return forms.BooleanField(**(named | {"required": False}))
        case "number":
            return forms.FloatField(min_value=setting.least, max_value=setting.most, widget=_Number, **named)
        case "choice":
            empty = [] if setting.required else [("", "All")]
            return forms.ChoiceField(choices=[*empty, *setting.choices], **named)
        case _:
            return forms.CharField(max_length=configuration.LONGEST, **named)


class _Number(forms.NumberInput):
    """2 and not 2.0."""

    def format_value(self, value):
        return f"{value:g}" if isinstance(value, float) else super().format_value(value)


def _secret_fields(network: type[Connector]) -> dict[str, forms.Field]:
    return {
        f"credentials.{each.name}": forms.CharField(
            label=each.label,
            help_text=each.help,
            required=each.required,
            max_length=configuration.LONGEST,
            widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        )
        for each in network.secrets
    }
