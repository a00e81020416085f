"""What people fill in about rules, besides the condition (`rows.py`): what a rule does, and a post to try them on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import forms

from connectors.contract import KINDS
from departments.models import Department, User
from routing.conditions import Refused
from routing.rules import Rule, Then
from routing.saying import NETWORKS, network_name

#: How long a rule may put something off, as the form offers it: minutes → words.
SNOOZES = {60: "An hour", 240: "Four hours", 1440: "A day", 4320: "Three days", 10080: "A week"}


class Chips(forms.TextInput):
    """Words with commas between them; with scripts each becomes a chip, and the field suggests what there is."""

    def __init__(self, suggested: Iterable[tuple[str, str]] = (), **named: Any):
        super().__init__(**named)
        self.attrs |= {"data-chips": "", "autocomplete": "off"}
        self.suggested = list(suggested)


class RuleForm(forms.Form):
    """What is not the condition: the name and what the rule does. A department's own rules move no work."""

    name = forms.CharField(max_length=80, label="Name")
    place = forms.ChoiceField(required=False, label="Place in")
    join = forms.MultipleChoiceField(required=False, label="Join", widget=forms.CheckboxSelectMultiple)
    assign = forms.ChoiceField(required=False, label="Give it to")
    priority = forms.ChoiceField(
        required=False, choices=[("", "Leave as it is"), ("high", "High"), ("urgent", "Urgent")], label="Priority"
    )
    snooze = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, label="Put off for")
    tags = forms.CharField(
        required=False, max_length=500, label="Tags", help_text="With commas between them", widget=Chips
    )
    notify = forms.CharField(
        required=False, max_length=2000, label="Tell at once", help_text="Names of people, with commas between them"
    )
    approval = forms.BooleanField(
        required=False, label="Replies need approval", help_text="Somebody else reads them before they leave"
    )
    spam = forms.BooleanField(required=False, label="It is spam", help_text="It is resolved at once; nobody is asked")
    stop = forms.BooleanField(required=False, label="Stop here", help_text="Rules further down are not asked")
    on = forms.BooleanField(required=False, initial=True, label="Switched on")
    why = forms.CharField(
        required=False, max_length=300, label="What changed and why", help_text="Stands with the version"
    )
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    NOTHING = "probably nothing"
    #: What a rule of a department's own may not do: it moves no work elsewhere.
    HOUSE_ONLY = ("place", "join", "spam")
    #: The action's name → how it looks beside the others in the form.
    LISTS = ("tags", "notify")

    def __init__(
        self, *args: Any, own: bool, departments: Iterable[Department], people: Iterable[User] = (), **named: Any
    ):
        super().__init__(*args, label_suffix="", **named)
        slugs = [(each.slug, each.name) for each in departments if not each.is_triage]
        self.fields["place"].choices = [
            ("", "Nowhere: only do the rest"),
            *slugs,
            (self.NOTHING, "Triage, as probably nothing"),
        ]
        self.fields["join"].choices = slugs
        self._name_people([(each.username, str(each)) for each in people])
        self._offer_snoozes()
        known = {*Then.model_fields, "name", "on", "why", "based_on"} - ({*self.HOUSE_ONLY} if own else set())
        for name in [name for name in self.fields if name not in known]:
            del self.fields[name]

    def _name_people(self, people: list[tuple[str, str]]) -> None:
        held = self._value("assign")
        gone = [(held, held)] if held and held not in dict(people) else []
        self.fields["assign"].choices = [("", "Nobody: whoever is free"), *people, *gone]
        self.fields["notify"].widget = Chips(suggested=people, attrs={"data-offers": "offer-notify"})

    def _offer_snoozes(self) -> None:
        held = str(self._value("snooze") or "")
        odd = [(int(held), f"{held} minutes")] if held.isdecimal() and int(held) not in SNOOZES else []
        self.fields["snooze"].choices = [("", "No, it is due at once"), *SNOOZES.items(), *odd]

    def _value(self, name: str) -> Any:
        return self.data.get(name) if self.is_bound else self.initial.get(name)

    def shown(self, *names: str) -> list[forms.BoundField]:
        """These of its fields that there are."""
        return [self[name] for name in names if name in self.fields]

    @property
    def fills(self) -> list[forms.BoundField]:
        """What is chosen or typed, in the order of the sentence."""
        return self.shown("assign", "priority", "snooze", "tags", "notify")

    @property
    def ticks(self) -> list[forms.BoundField]:
        return self.shown("approval", "spam", "stop")

    @classmethod
    def values(cls, rule: Rule) -> dict[str, Any]:
        """A rule as the form shows it."""
        done = rule.then.model_dump()
        done |= {name: ", ".join(done[name]) for name in cls.LISTS if name in done}
        place = cls.NOTHING if done.pop("probably_nothing") else done["place"] or ""
        return done | {"name": rule.name, "on": rule.on, "place": place}

    def rule(self, uid: str, when: Any) -> dict[str, Any]:
        """The rule as JSON, of a form that was found to be valid."""
        said = self.cleaned_data
        return {"uid": uid, "name": said["name"], "on": said["on"], "when": when, "then": self.then(said)}

    def then(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """What the rule does as JSON, of what was filled in; what the form does not ask is left to the default."""
        done = {name: said[name] for name in Then.model_fields if name in self.fields and name in said}
        done |= {name: _split(done[name]) for name in self.LISTS if name in done}
        done |= {name: done[name] or None for name in ("assign", "place") if name in done}
        if done.get("place") == self.NOTHING:
            done |= {"place": None, "probably_nothing": True}
        return done

    def refuse(self, refused: Refused) -> None:
        """Put what a verb refused beside the field that it is about."""
        for place, why in refused.problems.items():
            visible = (name for name in place.split(".") if name in self.fields and name != "based_on")
            self.add_error(next(visible, None), why)


def _split(typed: str) -> list[str]:
    return [each.strip() for each in typed.split(",") if each.strip()]


class TryForm(forms.Form):
    """A post that nobody wrote, or one that somebody did, to see where it would go."""

    text = forms.CharField(
        max_length=10_000, label="Text", widget=forms.Textarea(attrs={"rows": 4}), help_text="Nothing is stored"
    )
    network = forms.ChoiceField(
        required=False, choices=[(code, network_name(code)) for code in NETWORKS], label="Network"
    )
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in sorted(KINDS)], initial="mention", label="Kind")
    followers = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, label="Followers")
    rating = forms.IntegerField(required=False, min_value=1, max_value=5, label="Stars")
    author = forms.CharField(required=False, max_length=200, label="Author", help_text="A handle")
    at = forms.DateTimeField(
        required=False,
        label="Written",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    by = forms.ChoiceField(required=False, label="Rules")
    message = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, versions: Iterable[tuple[str, str]] = (), **named: Any):
        super().__init__(*args, label_suffix="", auto_id="try_%s", **named)
        self.fields["by"].choices = [("", "The live rules"), *versions]

    def rest(self) -> Iterator[forms.BoundField]:
        """Everything but the text, in one line."""
        return (field for field in self if field.name not in ("text", "message"))
