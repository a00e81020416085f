"""The inbox for programs: the same doors and verbs as the pages, in JSON. What a caller may not see is 404, like what
is not there; what can not be done as things stand is 409 with a sentence."""

from django.db.models import Count
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import exceptions, status
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.viewsets import GenericViewSet

from departments.api import CursorPages
from departments.models import ApiToken
from inbox import actions, asked, contacts, reads, search, shapes, thread
from inbox.desk import desk_of
from inbox.errors import Refused, SomethingNewer
from inbox.models import Contact, Message, Moderation, Note, QueueItem, Reply
from inbox.paging import NEWEST, Order, page, read
from inbox.views.conversations import find
from inbox.views.talk import own_share, shares
from inbox.views.verbs import find_item

Status = QueueItem.Status


class Conflict(exceptions.APIException):
    """A verb was refused: 409 with its sentence, and with what is newer when that is why."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"

    def __init__(self, refusal: Refused):
        super().__init__(refusal.sentence)
        if isinstance(refusal, SomethingNewer):
            self.extra = {"newer": [_newer(each) for each in refusal.newer]}


def _newer(found) -> dict:
    if isinstance(found, Message):
        row = shapes.message_rows(Message.objects.filter(pk=found.pk)).get()
        return {"type": "message", **shapes.message(row)}
    return {"type": "reply", **shapes.reply(found)}


class KeysetPages(CursorPages):
    """The API's pages in the pages' own way: by key, as quick at any depth."""

    order: Order = NEWEST

    def paginate_queryset(self, queryset, request, view=None):
        sources = queryset if isinstance(queryset, list) else [queryset]
        self.request, self.order = request, view.order
        found = read(request.query_params.get(self.cursor_query_param, ""), self.order)
        self.found = page(sources, self.order, cursor=found, size=self.get_page_size(request))
        return self.found.rows

    def get_next_link(self):
        return self._link(self.found.next)

    def get_previous_link(self):
        return self._link(self.found.previous)

    def _link(self, cursor):
        address = self.request.build_absolute_uri()
        return replace_query_param(address, self.cursor_query_param, str(cursor)) if cursor else None


class InboxView(GenericViewSet):
    """What every view of the inbox does alike."""

    pagination_class = KeysetPages
    order = NEWEST

    def handle_exception(self, exc):
        return super().handle_exception(Conflict(exc) if isinstance(exc, Refused) else exc)

    def given(self, serializer_class) -> dict:
        """What was sent, checked: a field that is unknown, missing or wrong is a 400."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def answered(self, found: reads.Read | None) -> HttpResponseBase:
        """The answer with its mark; 304 when the caller has it already."""
        made = found.answer() if found else None
        if made is None:
            raise Http404
        response = Response(made.body, headers={"ETag": made.mark, "Vary": reads.VARY})
        return get_conditional_response(self.request, made.mark, response=response)

    def asked(self) -> tuple:
        """By whom, where and what was asked, for a read."""
        return self.request.user, self.request.build_absolute_uri(), self.request.query_params

    def pages(self, rows, shape, order: Order) -> Response:
        self.order = order
        return self.get_paginated_response([shape(row) for row in self.paginate_queryset(rows)])


#: What an answer with a mark says of itself in the schema.
KNOWN = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of an answer that the caller has. Nothing is sent again (304) while it would say the same.",
)
UNCHANGED = OpenApiResponse(description="Nothing has changed since the answer with this ETag.")


def given_id(name: str = "id") -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.UUID, OpenApiParameter.PATH)


class Departments(InboxView):
    @extend_schema(responses=asked.DepartmentShape(many=True))
    def list(self, request):
        """Every department, because work may be handed to it; counts only of queues that the caller may see."""
        desk = desk_of(request)
        late = QueueItem.objects.visible_to(request.user).overdue().order_by().values_list("department")
        overdue = dict(late.annotate(Count("pk")))
        results = [self._shape(each, desk, overdue) for each in desk.all_departments.values()]
        return Response({"next": None, "previous": None, "results": results})

    def _shape(self, department, desk, overdue) -> dict:
        shape = {name: getattr(department, name) for name in ("slug", "name", "about", "confidential", "is_triage")}
        if department in desk.departments:
            counts = desk.counts[department.pk]
            shape |= {
                "open": counts["open"],
                "unassigned": counts["unassigned"],
                "overdue": overdue.get(department.pk, 0),
            }
        return shape


class Queues(InboxView):
    serializer_class = asked.ItemShape

    @extend_schema(
        responses={200: asked.ItemShape(many=True), 304: UNCHANGED},
        parameters=[
            KNOWN,
            OpenApiParameter("department", OpenApiTypes.STR, OpenApiParameter.PATH),
            OpenApiParameter(
                "status", OpenApiTypes.STR, enum=Status.values, description="Without it, all but resolved."
            ),
            OpenApiParameter("sort", OpenApiTypes.STR, enum=["urgent", "newest"]),
        ],
    )
    def list(self, request, department):
        """One queue, most urgent first."""
        return self.answered(reads.queue(*self.asked(), department=department))


def verb(name: str, act, serializer=asked.Nothing):
    """A POST that does one verb to the item and answers with the item as it is then; with nothing (204) when the caller
    lost sight of it by what they did."""

    def do(self, request, pk):
        found = find_item(request.user, pk)
        act(found, by=request.user, **self.given(serializer))
        row = shapes.item_rows(QueueItem.objects.visible_to(request.user).filter(pk=found.pk)).first()
        return Response(shapes.item(row)) if row else Response(status=status.HTTP_204_NO_CONTENT)

    do.__name__, do.__doc__ = name.replace("-", "_"), (act.__doc__ or "").strip()
    sent = serializer if serializer is not asked.Nothing else None
    answers = {200: asked.ItemShape, 204: None}
    described = extend_schema(request=sent, responses=answers, parameters=[given_id()])
    return described(action(detail=True, methods=["post"], url_path=name)(do))


class QueueItems(InboxView):
    serializer_class = asked.ItemShape

    @extend_schema(responses=asked.ItemShape, parameters=[given_id()])
    def retrieve(self, request, pk):
        """One department's share of a conversation."""
        row = shapes.item_rows(QueueItem.objects.visible_to(request.user).filter(pk=pk)).first()
        if row is None:
            raise Http404
        return Response(shapes.item(row))

    take = verb("take", actions.take)
    assign = verb("assign", actions.assign, asked.Assign)
    hand_off = verb("hand-off", actions.hand_off, asked.HandOffTo)
    accept = verb("accept", actions.accept)
    decline = verb("decline", actions.decline, asked.Decline)
    add_department = verb("add-department", actions.add_department, asked.InDepartment)
    move = verb("move", actions.move, asked.InDepartment)
    snooze = verb("snooze", actions.snooze, asked.Snooze)
    resolve = verb("resolve", actions.resolve, asked.Resolve)
    reopen = verb("reopen", actions.reopen)
    prioritise = verb("prioritise", actions.prioritise, asked.Prioritise)
    tag = verb("tag", actions.tag, asked.Tag)
    undo = verb("undo", actions.undo)


BY_TIME = Order("at")


class Conversations(InboxView):
    serializer_class = asked.ConversationShape
    scopes = {"write_reply": ApiToken.Scope.REPLY, "moderate": ApiToken.Scope.REPLY}

    @extend_schema(responses={200: asked.ConversationShape, 304: UNCHANGED}, parameters=[given_id(), KNOWN])
    def retrieve(self, request, pk):
        """One conversation and every department's share of it."""
        found = find(request.user, pk)
        return self.answered(reads.conversation(*self.asked(), pk=found.pk))

    @extend_schema(responses={200: asked.MessageShape(many=True), 304: UNCHANGED}, parameters=[given_id(), KNOWN])
    @action(detail=True)
    def messages(self, request, pk):
        """What was said, oldest first."""
        found = find(request.user, pk)
        return self.answered(reads.messages(*self.asked(), pk=found.pk, exists=True))

    @extend_schema(responses=asked.StepShape(many=True), parameters=[given_id()])
    @action(detail=True)
    def timeline(self, request, pk):
        """What was done about it, oldest first."""
        return self.pages(thread.told(find(request.user, pk)), shapes.step, BY_TIME)

    @extend_schema(responses=asked.NoteShape(many=True), parameters=[given_id()])
    @action(detail=True)
    def notes(self, request, pk):
        """Internal notes whose audience the caller belongs to, oldest first."""
        rows = Note.objects.visible_to(request.user).filter(conversation=find(request.user, pk))
        return self.pages(rows.select_related("author", "audience"), shapes.note, BY_TIME)

    @extend_schema(request=asked.WriteNote, responses={201: asked.NoteShape}, parameters=[given_id()])
    @notes.mapping.post
    def write_note(self, request, pk):
        """Write to colleagues."""
        found = find(request.user, pk)
        written = actions.note(found, by=request.user, **self.given(asked.WriteNote))
        return Response(shapes.note(written), status=status.HTTP_201_CREATED)

    @extend_schema(responses=asked.ReplyShape(many=True), parameters=[given_id()])
    @action(detail=True)
    def replies(self, request, pk):
        """Our replies and where they are on their way, oldest first."""
        rows = Reply.objects.filter(conversation=find(request.user, pk)).select_related("author", "department")
        return self.pages(rows, shapes.reply, reads.OLDEST)

    @extend_schema(request=asked.WriteReply, responses={202: asked.ReplyShape}, parameters=[given_id()])
    @replies.mapping.post
    def write_reply(self, request, pk):
        """Hand a reply to the outbox. 409 with `newer` when something came that its writer had not seen."""
        found = find(request.user, pk)
        given = self.given(asked.WriteReply)
        item = own_share(request.user, list(shares(found)))
        if item is None:
            raise exceptions.PermissionDenied("You read this conversation; its departments answer.")
        return Response(shapes.reply(actions.reply(item, by=request.user, **given)), status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=asked.ModerationShape(many=True), parameters=[given_id()])
    @action(detail=True)
    def moderations(self, request, pk):
        """What was done to its messages on the network besides answering, oldest first."""
        rows = Moderation.objects.filter(message__conversation=find(request.user, pk))
        return self.pages(rows.select_related("by", "department"), shapes.moderation, reads.OLDEST)

    @extend_schema(request=asked.Moderate, responses={202: asked.ModerationShape}, parameters=[given_id()])
    @moderations.mapping.post
    def moderate(self, request, pk):
        """Like, hide, show again or delete a message on its network. 409 when the network does not let us."""
        found, given = find(request.user, pk), self.given(asked.Moderate)
        message = Message.objects.filter(conversation=found, pk=given["message"]).first()
        if message is None:
            raise Http404
        item = own_share(request.user, list(shares(found)))
        if item is None:
            raise exceptions.PermissionDenied("You read this conversation; its departments act on the network.")
        made = actions.moderate(item, message, given["act"], by=request.user)
        return Response(shapes.moderation(made), status=status.HTTP_202_ACCEPTED)


def decision(name: str, act, serializer):
    """A POST that decides about one reply that did not leave yet, and answers with the reply as it is then."""

    def do(self, request, pk):
        written = get_object_or_404(Reply.objects.visible_to(request.user).select_related("conversation"), pk=pk)
        return Response(shapes.reply(act(written, by=request.user, **self.given(serializer))))

    do.__name__, do.__doc__ = name.replace("-", "_"), (act.__doc__ or "").strip()
    described = extend_schema(request=serializer, responses=asked.ReplyShape, parameters=[given_id()])
    return described(action(detail=True, methods=["post"], url_path=name)(do))


class Replies(InboxView):
    serializer_class = asked.ReplyShape
    scopes = {"POST": ApiToken.Scope.REPLY}

    approve = decision("approve", actions.approve, asked.Approve)
    send_back = decision("send-back", actions.send_back, asked.SendBack)
    revise = decision("revise", actions.revise, asked.Revise)


class Contacts(InboxView):
    serializer_class = asked.ContactShape

    @extend_schema(responses=asked.ContactShape(many=True), parameters=[OpenApiParameter("q", OpenApiTypes.STR)])
    def list(self, request):
        """People outside with whom the caller sees a conversation, by name."""
        rows = contacts.people(request.user, search.name_of(request.query_params.get("q", "")))
        self.order = contacts.BY_NAME
        found = contacts.with_handles(self.paginate_queryset(rows), request.user)
        return self.get_paginated_response([shapes.contact(each) for each in found])

    @extend_schema(responses=asked.ContactInFullShape, parameters=[given_id()])
    def retrieve(self, request, pk):
        """One person, with their newest conversations that the caller sees."""
        found = contacts.people(request.user).filter(pk=pk).first()
        if found is None or not Contact.objects.visible_to(request.user).filter(pk=pk).exists():
            raise Http404
        contacts.with_handles([found], request.user)
        theirs = contacts.conversations_page(request.user, found).rows
        return Response({**shapes.contact(found), "conversations": [shapes.lead_of(each) for each in theirs]})


class Search(InboxView):
    serializer_class = asked.FoundShape

    @extend_schema(responses=asked.FoundShape(many=True), parameters=[OpenApiParameter("q", OpenApiTypes.STR)])
    def list(self, request):
        """What was said, best first, among what the caller may see. The cursor is a place among the ranked hits."""
        pages, start = self.paginator, search.start_of(request.query_params.get("cursor", ""))
        size = pages.get_page_size(request)
        found, more = search.search(request.user, request.query_params.get("q", ""), start=start, size=size)
        return Response(
            {
                "next": self._link(start + size) if more else None,
                "previous": self._link(max(0, start - size)) if start else None,
                "results": [self._shape(each) for each in found],
            }
        )

    def _link(self, start: int) -> str:
        return replace_query_param(self.request.build_absolute_uri(), "cursor", start)

    def _shape(self, found) -> dict:
        return {
            "conversation": found.conversation.pk,
            "snippet": found.snippet,
            "at": found.at,
            "source": found.source,
            "author": found.author,
            "network": found.network,
        }
