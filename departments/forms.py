"""What people fill in about departments, people and themselves."""

from datetime import date, timedelta
from itertools import product
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError

from departments import presets
from departments.hours import DAYS
from departments.models import ApiToken, Department, User
from departments.roles import HouseRole, Role

ROLES = [("", "No role"), *((role.word, role.word.capitalize()) for role in Role)]


class VerbForm(forms.Form):
    """A form that ends in a verb; what the verb refuses stands beside the field it is about."""

    def __init__(self, *args, **named):
        super().__init__(*args, label_suffix="", **named)

    def carry_out(self, verb, *args, **named) -> bool:
        """Whether the form was right and the verb did it. What the verb gave is in `result`."""
        if not self.is_valid():
            return False
        try:
            self.result = verb(*args, **named, **self.cleaned_data)
        except ValidationError as refused:
            self._refuse(refused)
            return False
        return True

    def _refuse(self, refused: ValidationError) -> None:
        by_field = refused.error_dict if hasattr(refused, "error_dict") else {None: refused}
        for name, errors in by_field.items():
            self.add_error(name if name in self.fields else None, errors)


class DepartmentForm(VerbForm):
    name = forms.CharField(max_length=80)
    about = forms.CharField(
        max_length=300, required=False, label="What belongs here",
        help_text="One sentence. Colleagues read it when they hand something on.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    hue = forms.ChoiceField(choices=list(presets.HUES.items()), label="Colour")
    answer_within = forms.IntegerField(
        min_value=1,
        max_value=60 * 24 * 365,
        label="First answer within",
        help_text="Minutes. The clock runs day and night.",
    )
    confidential = forms.BooleanField(
        required=False,
        label="Confidential",
        help_text="Its conversations are seen by its own people alone, and stay so.",
    )

    @classmethod
    def of(cls, department: Department, data=None):
        return cls(data, initial={name: getattr(department, name) for name in cls.base_fields})


class NewDepartmentForm(DepartmentForm):
    slug = forms.SlugField(
        max_length=50,
        required=False,
        label="Short name",
        help_text="For its address and the API; it can not be changed later.",
    )
    field_order = ["name", "slug"]


ZONES = [(each, each.replace("_", " ")) for each in sorted(available_timezones())]
WEEKDAYS = dict(zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))


class HoursForm(VerbForm):
    """When a department's people are there: for each weekday up to two spells, by the clock of one place."""

    time_zone = forms.ChoiceField(choices=ZONES, help_text="The hours below are by the clock there.")
    holidays = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": "2026-12-25"}),
        help_text="Days on which nobody is there, one a line: 2026-12-25.",
    )

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        for day, number, end in product(WEEKDAYS, (1, 2), ("from", "to")):
            label = f"{WEEKDAYS[day]}, {'again ' if number == 2 else ''}{end}"
            clock = forms.TimeInput(attrs={"type": "time", "aria-label": label}, format="%H:%M")
            self.fields[f"{day}-{number}-{end}"] = forms.TimeField(required=False, widget=clock, label=label)

    @classmethod
    def of(cls, department: Department, data=None):
        initial = {"time_zone": department.time_zone}
        initial["holidays"] = "\n".join(each.isoformat() for each in department.holidays)
        for day, spells in department.hours.items():
            for number, (begins, ends) in enumerate(spells[:2], start=1):
                initial |= {f"{day}-{number}-from": begins, f"{day}-{number}-to": ends}
        return cls(data, initial=initial)

    def rows(self):
        """For each weekday its name and its two spells, for the page."""
        for day, name in WEEKDAYS.items():
            yield name, [(self[f"{day}-{number}-from"], self[f"{day}-{number}-to"]) for number in (1, 2)]

    def clean_holidays(self):
        found = set()
        for line in filter(None, map(str.strip, self.cleaned_data["holidays"].splitlines())):
            try:
                found.add(date.fromisoformat(line))
            except ValueError:
                raise ValidationError(f"“{line}” is no date; write it like 2026-12-25.") from None
        return sorted(found)

    def clean(self):
        said = self.cleaned_data
        hours = {day: spells for day in WEEKDAYS if (spells := list(self._spells(day)))}
        return {"time_zone": said.get("time_zone"), "holidays": said.get("holidays"), "hours": hours}

    def _spells(self, day):
        """The day's spells as they are kept, the earlier first. One that is half filled in, or that begins before the
        other ends, is refused at its field."""
        given = sorted(filter(None, (self._spell(day, number) for number in (1, 2))))
        if len(given) == 2 and not given[0][0] < given[0][1] <= given[1][0]:
            self.add_error(f"{day}-2-from", "The second spell begins when the first has ended.")
        return ([begins.strftime("%H:%M"), ends.strftime("%H:%M")] for begins, ends in given)

    def _spell(self, day, number):
        begins, ends = (self.cleaned_data.get(f"{day}-{number}-{end}") for end in ("from", "to"))
        for missing, there, end in ((begins, ends, "from"), (ends, begins, "to")):
            name = f"{day}-{number}-{end}"
            if missing is None and there is not None and name not in self.errors:
                self.add_error(name, "Say from when." if end == "from" else "Say until when.")
        return (begins, ends) if begins is not None and ends is not None else None


class AppointForm(VerbForm):
    """Who becomes what in one department."""

    person = forms.ModelChoiceField(User.objects.active().order_by("name", "username"), empty_label="Choose somebody")
    role = forms.ChoiceField(choices=[(role.word, role.word.capitalize()) for role in Role], initial=Role.AGENT.word)

    def clean_role(self):
        return Role[self.cleaned_data["role"].upper()]


class InviteForm(VerbForm):
    username = forms.CharField(max_length=150, label="Sign-in name", help_text="Small letters, digits and . - _ @ +")
    name = forms.CharField(max_length=120, label="Full name")
    email = forms.EmailField(required=False, label="E-mail")


class RolesForm(VerbForm):
    """Everything one person is: a role or none in each department, and roles of the house."""

    house = forms.MultipleChoiceField(
        choices=[(role.value, role.value.capitalize()) for role in HouseRole],
        required=False, widget=forms.CheckboxSelectMultiple, label="In the whole house",
    )  # fmt: skip

    def __init__(self, *args, departments, **named):
        super().__init__(*args, **named)
        self.departments = list(departments)
        for each in self.departments:
            self.fields[f"in-{each.slug}"] = forms.ChoiceField(choices=ROLES, required=False, label=each.name)

    def rows(self):
        """Pairs of department and its field, for the page."""
        return [(each, self[f"in-{each.slug}"]) for each in self.departments]

    def wanted(self) -> dict[Department, Role | None]:
        chosen = {each: self.cleaned_data[f"in-{each.slug}"] for each in self.departments}
        return {each: Role[word.upper()] if word else None for each, word in chosen.items()}

    def wanted_of_house(self) -> set[HouseRole]:
        return {HouseRole(word) for word in self.cleaned_data["house"]}


class OwnForm(VerbForm):
    name = forms.CharField(max_length=120)
    time_zone = forms.ChoiceField(choices=ZONES)
    theme = forms.ChoiceField(choices=User.Theme.choices, label="Light or dark")
    shortcuts = forms.BooleanField(
        required=False, label="Single-key shortcuts", help_text="Press ? on any page to see them all."
    )
    away_until = forms.DateTimeField(
        required=False, label="Away until", help_text="Until then nothing is assigned to you automatically.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip

    @classmethod
    def of(cls, person: User, data=None):
        return cls(data, initial={name: getattr(person, name) for name in cls.base_fields})


NEW_PASSWORD = {"label": "New password", "help_text": "Ten signs at least, not a common one, nothing like your name."}


class OwnPasswordForm(PasswordChangeForm):
    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": "That is not your present password.",
        "password_mismatch": "The two are not the same.",
    }
    field_order = ["old_password", "new_password1", "new_password2"]

    def __init__(self, *args, **named):
        super().__init__(*args, label_suffix="", **named)
        _in_our_words(self, old_password={"label": "Present password", "help_text": ""})
        del self.fields["old_password"].widget.attrs["autofocus"]  # it stands far down the page


class FirstPasswordForm(SetPasswordForm):
    """The password that an invited person chooses."""

    error_messages = SetPasswordForm.error_messages | {"password_mismatch": "The two are not the same."}

    def __init__(self, *args, **named):
        super().__init__(*args, label_suffix="", **named)
        _in_our_words(self)


def _in_our_words(form, **more) -> None:
    words = {"new_password1": NEW_PASSWORD, "new_password2": {"label": "The same again", "help_text": ""}} | more
    for name, said in words.items():
        form.fields[name].label, form.fields[name].help_text = said["label"], said["help_text"]


class TokenForm(VerbForm):
    name = forms.CharField(max_length=80, label="What it is for")
    scopes = forms.MultipleChoiceField(
        choices=ApiToken.Scope.choices, widget=forms.CheckboxSelectMultiple, label="It may"
    )
    departments = forms.ModelMultipleChoiceField(
        Department.objects.none(), required=False, widget=forms.CheckboxSelectMultiple,
        label="Only in", help_text="None ticked: wherever you may.",
    )  # fmt: skip
    life = forms.TypedChoiceField(
        choices=[(30, "30 days"), (90, "90 days"), (365, "A year")], initial=90, label="It expires after",
        coerce=lambda days: timedelta(days=int(days)),
    )  # fmt: skip

    def __init__(self, *args, departments, **named):
        super().__init__(*args, **named)
        self.fields["departments"].queryset = departments


class AuditFilter(forms.Form):
    person = forms.ModelChoiceField(User.objects.order_by("name", "username"), required=False, empty_label="Everybody")
    verb = forms.ChoiceField(required=False)
    day = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, verbs, **named):
        super().__init__(*args, label_suffix="", **named)
        self.fields["verb"].choices = [
            ("", "Everything"),
            *((verb, verb.replace("_", " ").capitalize()) for verb in verbs),
        ]
