"""What people fill in about lists and campaigns."""

from django import forms

from departments.forms import VerbForm
from routing.models import AuthorList, Campaign

LINES = {"spellcheck": "false", "autocapitalize": "off", "dir": "auto"}


class _NamedForm(VerbForm):
    name = forms.CharField(max_length=80)


class _Slugged(forms.Form):
    slug = forms.SlugField(
        max_length=50,
        required=False,
        label="Short name",
        help_text="By which rules name it; it can not be changed later. Left empty it is made of the name.",
    )
    field_order = ["name", "slug"]


class ListForm(_NamedForm):
    handles = forms.CharField(
        required=False,
        max_length=2_500_000,
        label="People",
        help_text="Handles, or the network’s ids, one a line. x:somebody is on the list on X alone.",
        widget=forms.Textarea(attrs=LINES | {"rows": 12}),
    )

    @classmethod
    def of(cls, found: AuthorList, data=None):
        return cls(data, initial={"name": found.name, "handles": "\n".join(found.handles)})

    def clean_handles(self) -> list[str]:
        return self.cleaned_data["handles"].splitlines()


class NewListForm(ListForm, _Slugged):
    pass


def _when(label: str, help_text: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, help_text=help_text, widget=widget, required=False)


class CampaignForm(_NamedForm):
    hashtags = forms.CharField(
        required=False,
        max_length=20_000,
        help_text="With blanks, commas or line breaks between them.",
        widget=forms.Textarea(attrs=LINES | {"rows": 2}),
    )
    links = forms.CharField(
        required=False,
        max_length=70_000,
        help_text="One a line. What lies below such an address counts as well.",
        widget=forms.Textarea(attrs=LINES | {"rows": 3}),
    )
    begins_at = _when("From", "Left empty: it always ran.")
    ends_at = _when("To", "Left empty: it goes on.")

    @classmethod
    def of(cls, found: Campaign, data=None):
        said = {"hashtags": " ".join(f"#{tag}" for tag in found.hashtags), "links": "\n".join(found.links)}
        return cls(data, initial=said | {name: getattr(found, name) for name in ("name", "begins_at", "ends_at")})

    def clean_hashtags(self) -> list[str]:
        return self.cleaned_data["hashtags"].replace(",", " ").split()

    def clean_links(self) -> list[str]:
        return self.cleaned_data["links"].splitlines()


class NewCampaignForm(CampaignForm, _Slugged):
    pass
