"""Named selections of the inbox. `visible_to` stands before everything that leaves the house: what a person may not see
does not exist for them, in no list, count or search."""

from datetime import timedelta

from django.apps import apps
from django.contrib.postgres.search import SearchQuery
from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Now
from django.utils import timezone

from connectors.lanes import NOBODY
from connectors.querysets import server_of, unheld
from departments import rows
from departments.access import rights
from departments.roles import Role

#: More than any house holds.
EVERYTHING = 2_000_000_000
#: What presses is counted so far and no further: the page says “99+” then, and counting costs the same in any house.
MANY = 100


class HowMany(Subquery):
    """How many rows a selection has, counted up to a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = models.IntegerField()

    def __init__(self, selection, most):
        super().__init__(selection.order_by().values("pk")[:most])

    def get_group_by_cols(self):
        """None: it is asked once for each group, and depends on nothing but that by which rows are grouped."""
        return []


def accessible(user):
    """Ids of the conversations that one of the user's own departments may see now."""
    Access = apps.get_model("inbox", "Access")
    mine = rights(user).at_least(Role.READER)
    return Access.objects.filter(department__in=mine, until=None).values("conversation_id")


def seen_by(user, conversation="") -> Q:
    """The one question whether somebody sees a conversation, asked of it itself or of rows that lead to it along this
    path (`conversation`). Of rows it is asked by a join: few rows look up their few conversations, where
    `conversation__in=` would go through all that there are."""
    path = f"{conversation}__" if conversation else ""
    allowed = Q(**{f"{conversation or 'pk'}__in": accessible(user)})
    if rights(user).sees_ordinary:
        allowed |= Q(**{f"{path}confidential": False})
    return allowed & Q(**{f"{path}merged_into": None, f"{path}routed_at__isnull": False})


def meant_for(user) -> Q:
    """Notes, and what search knows of them, whose audience the user belongs to."""
    held = rights(user)
    audience = Q(audience=None) | Q(audience__in=held.at_least(Role.READER))
    if held.coordinator:
        audience |= Q(audience__confidential=False)
    return audience


class ConversationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Conversations that the user's departments hold; for coordinator and admin also every ordinary one. Before
        it is routed, a conversation is seen by nobody."""
        return self.filter(seen_by(user))

    def of_contact(self, contact):
        return self.filter(identity__contact=contact)


class MessageQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(seen_by(user, "conversation"))

    def waiting_for_route(self):
        """What came from outside and was not routed yet: live posts first, each lane in the order of arrival."""
        return self.filter(routed_at=None, direction="in").order_by("history", "received_at")

    def from_outside(self):
        return self.filter(direction="in")

    def counted_by_author(self, written, within):
        """How many messages each of these authors wrote within that time before a message, with it: id → count.
        `written` says when each message was written, by its id. What lies in a confidential conversation counts there
        alone: nobody else may learn of it."""
        ids, times = rows.as_json([*written]), written.values()
        with connection.cursor() as cursor:
            cursor.execute(_BY_AUTHOR, [within, within, ids, min(times) - within, max(times), ids])
            return dict(cursor.fetchall())

    def to_recheck(self, channel, before, since):
        """What came through this channel since then, lies open, and was not asked about after `before`: the longest
        unasked first."""
        open_items = channel.conversations.filter(items__lead=True, items__status="open", last_in_at__gte=since)
        mine = self.filter(conversation__in=open_items, direction="in", deleted_at=None, created_at__gte=since)
        unasked = mine.filter(Q(checked_at__lt=before) | Q(checked_at=None, received_at__lt=before))
        return unasked.select_related("channel").order_by(F("checked_at").asc(nulls_first=True), "received_at")


#: Every author's messages are gone through once, in the order of time, however many of them are asked for.
_BY_AUTHOR = """
SELECT id::text, many FROM (
    SELECT said.id,
        count(*) FILTER (WHERE NOT talk.confidential) OVER (
            PARTITION BY said.identity_id ORDER BY said.created_at RANGE BETWEEN %s PRECEDING AND CURRENT ROW
        ) + count(*) FILTER (WHERE talk.confidential) OVER (
            PARTITION BY said.identity_id, talk.id ORDER BY said.created_at RANGE BETWEEN %s PRECEDING AND CURRENT ROW
        ) AS many
    FROM inbox_message said JOIN inbox_conversation talk ON talk.id = said.conversation_id
    WHERE said.identity_id = ANY(ARRAY(SELECT DISTINCT identity_id FROM inbox_message WHERE id = ANY(ARRAY(
            SELECT json_array_elements_text(%s)::uuid)) AND identity_id IS NOT NULL))
        AND said.direction = 'in' AND said.created_at > %s AND said.created_at <= %s
) AS counted WHERE id = ANY(ARRAY(SELECT json_array_elements_text(%s)::uuid))
"""


class QueueItemQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Items in the queues that the user may read. The other departments' items on one conversation are seen through
        the conversation (`of`)."""
        held = rights(user)
        allowed = Q(department__in=held.at_least(Role.READER))
        if held.sees_ordinary:
            allowed |= Q(confidential=False, department__confidential=False)
        return self.filter(allowed, sealed=False)

    def of(self, conversation):
        """Every department's live share of a conversation that the asker was found to see; the lead first."""
        return self.filter(conversation=conversation, sealed=False).order_by("-lead", "placed_at")

    def in_queue(self, department, user):
        """One department's items, when the user was found to see its queue. A coordinator or admin without a role of
        their own in it sees no confidential conversation that it was asked to join."""
        items = self.filter(department=department, sealed=False)
        return items if department.pk in rights(user).roles else items.filter(confidential=False)

    def open(self):
        return self.filter(status="open", probably_nothing=False)

    def probably_nothing(self):
        return self.filter(status="open", probably_nothing=True)

    def unassigned(self):
        return self.open().filter(assignee=None)

    def mine(self, user):
        return self.open().filter(assignee=user)

    def waiting_for_others(self):
        return self.filter(status__in=["pending", "snoozed"])

    def overdue(self, at=None):
        return self.open().filter(due_at__lte=at or timezone.now())

    def snoozed_until_now(self):
        return self.filter(status="snoozed", snoozed_until__lte=timezone.now())

    def for_somebody(self, department):
        """What lies open in this department's queue, has nobody, and is not being handed on."""
        return self.unassigned().filter(department=department, sealed=False, handed_to=None)

    def urgent_first(self):
        return self.order_by("sort_at", "id")

    def newest_first(self):
        return self.order_by("-last_message_at", "-id")


class QueueCountQuerySet(models.QuerySet):
    def of_queues(self, user, departments):
        """Rows of department, open, unassigned, waiting and nothing, over what the user may see of these queues, and
        how many of it are late, as far as that is counted."""
        own = rights(user).roles
        seen = Q(department__in=[each.pk for each in departments if each.pk in own]) | Q(
            department__in=[each.pk for each in departments if each.pk not in own], confidential=False
        )
        Item = apps.get_model("inbox", "QueueItem")
        late = Item.objects.visible_to(user).overdue(Now()).filter(department=OuterRef("department"))
        sums = [Sum(name) for name in ("open", "unassigned", "waiting", "nothing")]
        return self.filter(seen).order_by().values_list("department").annotate(*sums, late=HowMany(late, MANY))

    @transaction.atomic
    def fold(self):
        """Make one row of each department's differences. What is added meanwhile is folded the next time."""
        names = ("open", "unassigned", "waiting", "nothing")
        rows = list(self.select_for_update(skip_locked=True).order_by("pk")[:20_000])
        if len(rows) < 50:
            return
        sums: dict = {}
        for row in rows:
            total = sums.setdefault((row.department_id, row.confidential), dict.fromkeys(names, 0))
            for name in names:
                total[name] += getattr(row, name)
        self.filter(pk__in=[row.pk for row in rows]).delete()
        self.bulk_create(self.model(department_id=key[0], confidential=key[1], **total) for key, total in sums.items())


class ContactQuerySet(models.QuerySet):
    def visible_to(self, user):
        """People with whom the user may see at least one conversation."""
        Conversation = apps.get_model("inbox", "Conversation")
        theirs = Conversation.objects.visible_to(user).filter(identity__contact=OuterRef("pk"))
        return self.filter(Exists(theirs))


class NoteQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Notes on visible conversations whose audience the user belongs to."""
        return self.filter(meant_for(user), seen_by(user, "conversation"), removed_at=None)


class ReplyQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(seen_by(user, "conversation"))

    def on_their_way(self):
        return self.filter(state__in=["waiting_approval", "approved", "sending", "unknown", "needs_person"])

    def due(self):
        """What the outbox has to look at now: to send, to look for, to verify, or left by a worker that died sending.
        What would leave through a channel that is stopped waits as it is, and goes at once when it is allowed
        again."""
        now = timezone.now()
        stopped = Q(state="approved", channel__frozen_at__isnull=False)
        return self.filter(
            Q(state__in=["approved", "unknown", "sent"], send_after__lte=now) & unheld(now) & ~stopped
            | Q(state="sending", leased_until__lte=now)
        ).order_by("send_after")

    @transaction.atomic
    def claim(self, *, seconds=60, batch=20, closed=NOBODY, admits=lambda reply: True):
        """Lease up to `batch` due replies to the caller; a fence tells a late worker that somebody else took over.

        Replies to `closed` servers are passed over, and the caller may turn down others; `server` is whom each goes to.
        """
        due = self.due().annotate(server=server_of("channel__")).exclude(server__in=closed.servers)
        found = list(due.select_for_update(skip_locked=True, of=("self",))[:batch])
        chosen = [reply.pk for reply in found if admits(reply)]
        until = timezone.now() + timedelta(seconds=seconds)
        self.model.objects.filter(pk__in=chosen).update(leased_until=until, fence=F("fence") + 1)
        leased = self.model.objects.filter(pk__in=chosen).annotate(server=server_of("channel__"))
        return list(leased.select_related("channel", "target", "conversation"))


class ModerationQuerySet(models.QuerySet):
    def due(self):
        """What has to be done on a network now; what somebody stopped there waits."""
        now = timezone.now()
        waiting = self.filter(unheld(now), state="waiting", try_after__lte=now, message__channel__frozen_at=None)
        return waiting.order_by("try_after")

    @transaction.atomic
    def claim(self, *, seconds=60, batch=1):
        """Lease up to `batch` due acts to the caller."""
        found = list(
            self.due()
            .select_related("message__channel", "message__identity", "department")
            .select_for_update(skip_locked=True, of=("self",))[:batch]
        )
        for each in found:
            each.leased_until, each.attempts = timezone.now() + timedelta(seconds=seconds), each.attempts + 1
        self.model.objects.bulk_update(found, ["leased_until", "attempts"])
        return found


class NoticeQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The user's own, about conversations that they see now."""
        return self.filter(seen_by(user, "conversation"), user=user)

    def unread(self):
        return self.filter(read_at=None)


class SearchQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(meant_for(user), seen_by(user, "conversation"))

    def within_reach_of(self, user):
        """The same as `visible_to`, asked of thousands of hits: who sees only what their departments hold has a list of
        these conversations, which is read once. (Who has access sees: it is given to conversations that are routed, and
        taken from those that became part of another.) The limit, which nobody reaches, keeps the planner from going the
        other way round, from each of these conversations to its entries."""
        if rights(user).sees_ordinary:
            return self.visible_to(user)
        return self.filter(meant_for(user), conversation__in=accessible(user)[:EVERYTHING])

    def saying(self, words):
        """Entries that say this; `words` in the language of web searches: quotes, or, minus."""
        return self.filter(words=SearchQuery(words, search_type="websearch", config="socialhub"))
