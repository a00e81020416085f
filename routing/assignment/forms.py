"""What a lead fills in about giving out work."""

from django import forms

from departments.forms import VerbForm
from departments.models import Department, User
from routing.assignment.arranging import SETTINGS, policy_of

#: A fortnight in minutes.
LONGEST = 60 * 24 * 14


class PolicyForm(VerbForm):
    on = forms.BooleanField(
        required=False,
        label="Give out work by itself",
        help_text="Otherwise people take it themselves. Leads can give it to anybody at any time, in both cases.",
    )
    capacity = forms.IntegerField(
        min_value=0,
        max_value=1000,
        label="One person takes on",
        help_text="Open items at the same time, where nothing else stands beside the person.",
    )
    sticky_days = forms.IntegerField(
        min_value=0,
        max_value=365,
        label="The same person again within",
        help_text="Days. Whoever had somebody before gets them again, while they have room. 0: never.",
    )
    relax_after = forms.IntegerField(
        min_value=0,
        max_value=LONGEST,
        label="Language and skill are asked for during",
        help_text="Minutes. When nobody who has them was free by then, anybody gets it.",
    )
    return_after = forms.IntegerField(
        min_value=0,
        max_value=LONGEST,
        label="Take back what lies untouched after",
        help_text="Minutes. Then somebody else gets it. 0: never.",
    )
    only_in_hours = forms.BooleanField(
        required=False, label="Only in opening hours", help_text="Without opening hours a department is always open."
    )
    only_present = forms.BooleanField(
        required=False, label="Only to people who are here", help_text="Who had Social Hub open in the last 5 minutes."
    )

    @classmethod
    def of(cls, department: Department, data=None):
        policy = policy_of(department)
        return cls(data, initial={name: getattr(policy, name) for name in SETTINGS})


class Words(forms.CharField):
    """Words with commas between them."""

    def clean(self, value):
        return [word.strip() for word in super().clean(value).split(",") if word.strip()]


class CapacityForm(VerbForm):
    """What one person takes on, on one line."""

    most = forms.IntegerField(min_value=0, max_value=1000, required=False, label="Takes on")
    languages = Words(required=False, max_length=200, label="Languages")
    skills = Words(required=False, max_length=500, label="Skills")

    @classmethod
    def of(cls, person: User, line):
        """The form as it stands in the table, before anything is sent."""
        said = {"most": line.capacity.most}
        said |= {name: ", ".join(getattr(line.capacity, name)) for name in ("languages", "skills")}
        return cls(initial=said, auto_id=f"{person.username}_%s")
