"""What people fill in at the desk. Each form names the verb's own words, so that `cleaned_data` is what the verb is
given."""

from datetime import timedelta

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from departments.models import Department, User
from inbox.models import HandOff, QueueItem

#: What a writer may paste; networks allow far less, and say how much.
LONGEST = 20_000


class DeskForm(forms.Form):
    """A form whose labels stand without a colon, as everywhere here."""

    def __init__(self, *args, **named):
        super().__init__(*args, label_suffix="", **named)

    def first_error(self) -> str:
        """One sentence about what is wrong, for a message that stands away from the form."""
        return next((error for errors in self.errors.values() for error in errors), "")


class ReplyForm(DeskForm):
    text = forms.CharField(
        label="Reply",
        max_length=LONGEST,
        error_messages={"required": "The reply is empty."},
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
    seen = forms.UUIDField(
        widget=forms.HiddenInput, error_messages={"required": "Load the conversation again, then send."}
    )
    in_reply_to = forms.UUIDField(required=False, widget=forms.HiddenInput)
    resolve = forms.BooleanField(required=False, label="Resolve when it is sent")
    private = forms.BooleanField(required=False, label="As a direct message")


class NoteForm(DeskForm):
    text = forms.CharField(
        label="Internal note",
        max_length=LONGEST,
        error_messages={"required": "The note is empty."},
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
    audience = forms.ModelChoiceField(
        Department.objects.none(),
        required=False,
        to_field_name="slug",
        label="For",
        empty_label="Everyone on this conversation",
    )

    def __init__(self, *args, audiences=(), **named):
        super().__init__(*args, **named)
        self.fields["audience"].queryset = Department.objects.filter(pk__in=[each.pk for each in audiences])
        # Drawn from what is known already: a select that asks the database again is a query on every page.
        self.fields["audience"].choices = [("", "Everyone on this conversation")] + [
            (each.slug, f"{each} only") for each in audiences
        ]


class DepartmentField(forms.ModelChoiceField):
    """A department by its slug."""

    default_error_messages = {"required": "Say which department.", "invalid_choice": "There is no such department."}

    def __init__(self, **named):
        super().__init__(Department.objects.open(), to_field_name="slug", **named)


class HandOffForm(DeskForm):
    to = DepartmentField(label="To")
    reason = forms.ChoiceField(
        choices=HandOff.Reason.choices,
        label="Why",
        error_messages={"required": "Say why.", "invalid_choice": "Say why."},
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="What they should know",
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )

    def __init__(self, *args, departments=None, **named):
        super().__init__(*args, **named)
        if departments is not None:
            self.fields["to"].choices = [("", "Choose a department")] + [(each.slug, str(each)) for each in departments]


class PlaceForm(DeskForm):
    department = DepartmentField()


class DeclineForm(DeskForm):
    note = forms.CharField(required=False, max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}))


class AssignForm(DeskForm):
    """Whom to give it to; nobody puts it back for all."""

    to = forms.ModelChoiceField(
        User.objects.active(),
        required=False,
        error_messages={"invalid_choice": "There is no such person."},
    )


class SnoozeForm(DeskForm):
    """Until a time (ISO 8601, or as a browser's time field writes it), or until they answer."""

    until = forms.CharField(required=False)

    def clean_until(self):
        written = self.cleaned_data["until"]
        if not written:
            return None
        try:
            at = parse_datetime(written)
        except ValueError:
            at = None
        if at is None:
            raise forms.ValidationError("That is no time. Choose one from the list, or until they answer.")
        return timezone.make_aware(at) if timezone.is_naive(at) else at


class ResolveForm(DeskForm):
    resolution = forms.ChoiceField(
        choices=QueueItem.Resolution.choices,
        error_messages={"required": "Say how it ends.", "invalid_choice": "Say how it ends."},
    )


class PriorityForm(DeskForm):
    priority = forms.TypedChoiceField(
        choices=QueueItem.Priority.choices,
        coerce=int,
        error_messages={"required": "Say how urgent it is.", "invalid_choice": "Say how urgent it is."},
    )


class TagForm(DeskForm):
    """Words with commas between them."""

    names = forms.CharField(required=False, max_length=1_200)

    def clean_names(self):
        return [name.strip() for name in self.cleaned_data["names"].split(",") if name.strip()]


class ConfirmForm(DeskForm):
    url = forms.URLField(
        required=False, max_length=2_000, assume_scheme="https", error_messages={"invalid": "That is no web address."}
    )


class ApproveForm(DeskForm):
    """Which text was read, and up to which message."""

    body_hash = forms.CharField(max_length=64, error_messages={"required": "Read the reply again, then approve it."})
    seen = forms.UUIDField(required=False)


class SendBackForm(DeskForm):
    note = forms.CharField(required=False, max_length=500, label="What should be different")


class ReviseForm(DeskForm):
    text = forms.CharField(max_length=LONGEST, error_messages={"required": "The reply is empty."})


def snooze_choices(now=None) -> list[dict]:
    """Good times to come back, by the reader's own clock: `[{"label", "until"}]`; until None is “until they answer”."""
    now = timezone.localtime(now)
    morning = now.replace(hour=9, minute=0, second=0, microsecond=0)
    monday = morning + timedelta(days=7 - now.weekday())
    choices = [("In 1 hour", now + timedelta(hours=1)), ("In 3 hours", now + timedelta(hours=3))]
    choices += [("Tomorrow, 09:00", morning + timedelta(days=1)), ("Monday, 09:00", monday)]
    return [{"label": "Until they answer", "until": None}] + [
        {"label": label, "until": until} for label, until in choices
    ]
