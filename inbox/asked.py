"""What programs send to the inbox and what they get, as serializers: the first are checked with them, and the OpenAPI
page is made from both. (Answers themselves are made in `shapes`, which a test holds to these.)"""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from departments.api import StrictSerializer
from departments.models import Department, User
from inbox.forms import LONGEST
from inbox.models import HandOff, Moderation, QueueItem, Reply


# What is sent ---------------------------------------------------------------------------------------------------------
class Nothing(StrictSerializer):
    pass


class DepartmentField(serializers.SlugRelatedField):
    """A department by its slug."""

    def __init__(self, **named):
        super().__init__(slug_field="slug", queryset=Department.objects.open(), **named)


@extend_schema_field(OpenApiTypes.STR)
class PersonField(serializers.Field):
    """A colleague by user name or id."""

    def to_internal_value(self, data):
        name = serializers.CharField(max_length=150).run_validation(data)
        people = User.objects.active()
        found = people.filter(username=name).first() or people.filter(pk=_uuid(name)).first()
        if found is None:
            raise serializers.ValidationError("There is no such person.")
        return found

    def to_representation(self, value):
        return value.username


def _uuid(data):
    try:
        return serializers.UUIDField().to_internal_value(data)
    except serializers.ValidationError:
        return None


class Assign(StrictSerializer):
    to = PersonField(allow_null=True, help_text="A user name or id; null puts it back for anybody.")


class HandOffTo(StrictSerializer):
    to = DepartmentField()
    reason = serializers.ChoiceField(HandOff.Reason.choices)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST)


class Decline(StrictSerializer):
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST)


class InDepartment(StrictSerializer):
    department = DepartmentField()


class Snooze(StrictSerializer):
    until = serializers.DateTimeField(allow_null=True, help_text="null: until they answer.")


class Resolve(StrictSerializer):
    resolution = serializers.ChoiceField(QueueItem.Resolution.choices)


class Prioritise(StrictSerializer):
    priority = serializers.ChoiceField(QueueItem.Priority.choices)


class Tag(StrictSerializer):
    names = serializers.ListField(child=serializers.CharField(max_length=50), max_length=20)


class WriteNote(StrictSerializer):
    text = serializers.CharField(max_length=LONGEST)
    audience = DepartmentField(required=False, allow_null=True, default=None)


class WriteReply(StrictSerializer):
    text = serializers.CharField(max_length=LONGEST)
    seen = serializers.UUIDField(help_text="The conversation's last message that the writer had seen.")
    in_reply_to = serializers.UUIDField(required=False, allow_null=True, default=None)
    resolve = serializers.BooleanField(required=False, default=False)
    private = serializers.BooleanField(
        required=False, default=False, help_text="As a direct message to the author of a public post."
    )


class Approve(StrictSerializer):
    body_hash = serializers.CharField(max_length=64, help_text="Of the text that was read: another is not meant.")
    seen = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="The last message seen; else the one its writer saw."
    )


class SendBack(StrictSerializer):
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class Revise(StrictSerializer):
    text = serializers.CharField(max_length=LONGEST)


class Moderate(StrictSerializer):
    message = serializers.UUIDField()
    act = serializers.ChoiceField(Moderation.Act.choices)


# What is answered -----------------------------------------------------------------------------------------------------
class PersonShape(serializers.Serializer):
    id = serializers.UUIDField()
    username = serializers.CharField()
    name = serializers.CharField()


class DepartmentShape(serializers.Serializer):
    slug = serializers.SlugField()
    name = serializers.CharField()
    about = serializers.CharField()
    confidential = serializers.BooleanField()
    is_triage = serializers.BooleanField()
    open = serializers.IntegerField(
        required=False, help_text="Absent where the caller may not see the queue, as the others."
    )
    unassigned = serializers.IntegerField(required=False)
    overdue = serializers.IntegerField(required=False)


class AuthorShape(serializers.Serializer):
    name = serializers.CharField()
    handle = serializers.CharField()
    followers = serializers.IntegerField(allow_null=True)


class KnownAuthorShape(AuthorShape):
    verified = serializers.BooleanField()


class HandleShape(KnownAuthorShape):
    network = serializers.CharField()


class OfferShape(serializers.Serializer):
    reason = serializers.ChoiceField(HandOff.Reason.choices)
    note = serializers.CharField()
    at = serializers.DateTimeField()

    def get_fields(self):
        # `from` is no name that Python lets stand in a class.
        return {"from": serializers.SlugField()} | super().get_fields()


class ItemShape(serializers.Serializer):
    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    department = serializers.SlugField()
    lead = serializers.BooleanField()
    status = serializers.ChoiceField(QueueItem.Status.choices)
    resolution = serializers.ChoiceField(QueueItem.Resolution.choices, allow_blank=True)
    priority = serializers.ChoiceField(QueueItem.Priority.choices)
    unread = serializers.BooleanField()
    probably_nothing = serializers.BooleanField()
    confidential = serializers.BooleanField()
    handed_to = serializers.SlugField(allow_null=True)
    waiting_since = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    snoozed_until = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    placed_at = serializers.DateTimeField()
    last_message_at = serializers.DateTimeField()
    why = serializers.CharField()
    preview = serializers.CharField()
    network = serializers.CharField()
    kind = serializers.CharField()
    language = serializers.CharField()
    mood = serializers.IntegerField(allow_null=True)
    rating = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField()
    assignee = PersonShape(allow_null=True)
    author = AuthorShape()
    offer = OfferShape(allow_null=True)


class SpokenThroughShape(serializers.Serializer):
    slug = serializers.SlugField()
    name = serializers.CharField()
    network = serializers.CharField()


class ConversationShape(serializers.Serializer):
    id = serializers.UUIDField()
    channel = SpokenThroughShape()
    author = KnownAuthorShape(allow_null=True)
    contact = serializers.UUIDField(allow_null=True)
    confidential = serializers.BooleanField()
    history = serializers.BooleanField()
    language = serializers.CharField()
    mood = serializers.IntegerField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    last_message_at = serializers.DateTimeField()
    last_in_at = serializers.DateTimeField(allow_null=True)
    last_out_at = serializers.DateTimeField(allow_null=True)
    last_message = serializers.UUIDField(allow_null=True, help_text="What a reply names as `seen`.")
    items = ItemShape(many=True)


class MessageShape(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    direction = serializers.ChoiceField(["in", "out"])
    title = serializers.CharField()
    text = serializers.CharField()
    language = serializers.CharField()
    url = serializers.CharField()
    rating = serializers.IntegerField(allow_null=True)
    media = serializers.ListField(child=serializers.DictField())
    visibility = serializers.CharField()
    created_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()
    reply_closed = serializers.CharField(help_text="Why the network takes no answer to this; empty when it does.")
    reply_until = serializers.DateTimeField(allow_null=True)
    liked_at = serializers.DateTimeField(allow_null=True)
    hidden_at = serializers.DateTimeField(allow_null=True)
    deleted = serializers.BooleanField()
    author = KnownAuthorShape(allow_null=True)
    in_reply_to = serializers.UUIDField(allow_null=True)
    reply = serializers.UUIDField(allow_null=True)


class ModerationShape(serializers.Serializer):
    id = serializers.UUIDField()
    message = serializers.UUIDField()
    act = serializers.ChoiceField(Moderation.Act.choices)
    state = serializers.ChoiceField(Moderation.State.choices)
    trouble = serializers.CharField()
    by = PersonShape()
    department = serializers.SlugField()
    created_at = serializers.DateTimeField()


class NoteShape(serializers.Serializer):
    id = serializers.UUIDField()
    text = serializers.CharField()
    author = PersonShape()
    audience = serializers.SlugField(allow_null=True)
    at = serializers.DateTimeField()


class ReplyShape(serializers.Serializer):
    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    department = serializers.SlugField()
    author = PersonShape()
    text = serializers.CharField()
    body_hash = serializers.CharField(help_text="What an approval names.")
    state = serializers.ChoiceField(Reply.State.choices)
    trouble = serializers.CharField()
    in_reply_to = serializers.UUIDField()
    seen = serializers.UUIDField()
    resolve = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField()
    message = serializers.UUIDField(allow_null=True)


class StepShape(serializers.Serializer):
    at = serializers.DateTimeField()
    verb = serializers.CharField()
    by = PersonShape(allow_null=True)
    department = serializers.SlugField(allow_null=True)
    text = serializers.CharField()


class ContactShape(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    handles = HandleShape(many=True)
    last_at = serializers.DateTimeField(allow_null=True)


class LeadShape(serializers.Serializer):
    id = serializers.UUIDField()
    network = serializers.CharField()
    last_message_at = serializers.DateTimeField()
    preview = serializers.CharField()
    department = serializers.SlugField(allow_null=True)
    status = serializers.CharField(allow_null=True)


class ContactInFullShape(ContactShape):
    conversations = LeadShape(many=True)


class FoundShape(serializers.Serializer):
    conversation = serializers.UUIDField()
    snippet = serializers.CharField()
    at = serializers.DateTimeField()
    source = serializers.ChoiceField(["message", "note"])
    author = serializers.CharField()
    network = serializers.CharField()
