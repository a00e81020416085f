"""What one person's figures are taken from: the departments on their board, over a stretch of time.

Each reading is one query, made when it is first asked for and shared by every figure that needs it. Which number a
reading stands for is said in `metrics`, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import (
    Aggregate,
    Case,
    Count,
    DurationField,
    Exists,
    F,
    Func,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models import Window as Over
from django.utils import timezone

from departments.access import Rights, everybody_in, rights
from departments.models import Department, User
from departments.roles import Role
from inbox.desk import Desk
from inbox.models import Clock, HandOff, QueueItem, Reply

DAY, WEEK = timedelta(hours=24), timedelta(days=7)
#: Somebody whose page was open this lately is here.
HERE = timedelta(minutes=5)
#: After that long an offer that nobody answered has fallen between two departments.
PATIENCE = timedelta(minutes=15)
WAITS = Q(accepted_at=None, declined_at=None, withdrawn_at=None)


@dataclass(frozen=True)
class Window:
    """A stretch of time, and where it ends."""

    until: datetime
    length: timedelta = DAY

    @property
    def since(self) -> datetime:
        return self.until - self.length


@dataclass(frozen=True)
class Late:
    """What is late in one queue, and since when somebody waits there."""

    overdue: int = 0
    unassigned: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True)
class Passed:
    """What one department handed to another: in seven days, and what waits for an answer, whenever it was given."""

    giver: UUID
    taker: UUID
    week: int
    accepted: int
    waiting: int
    stuck: int
    since: datetime | None


@dataclass(frozen=True)
class Answered:
    """First answers that went out in the window: how many, how long people waited, how many had a clock and kept it."""

    number: int = 0
    median: timedelta | None = None
    timed: int = 0
    in_time: int = 0

    @property
    def share(self) -> float | None:
        return self.in_time / self.timed if self.timed else None


class Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


class HoursBefore(Func):
    """How many whole hours before the first moment the second lies; 0 for what came meanwhile."""

    template = "GREATEST(FLOOR(EXTRACT(EPOCH FROM (%(expressions)s)) / 3600), 0)::int"
    arg_joiner = " - "
    output_field = IntegerField()


def has_board(held: Rights) -> bool:
    """Whoever coordinates or runs the house has a board, and whoever leads a department has one of theirs."""
    return held.sees_ordinary or bool(held.at_least(Role.LEAD))


def on_board(desk: Desk) -> list[Department]:
    """The departments on this person's board: all that they read, or those that they lead."""
    held = rights(desk.user)
    if held.sees_ordinary:
        return desk.departments
    return [each for each in desk.departments if each.pk in held.at_least(Role.LEAD)]


class Sight:
    """The readings of one person. Without `departments` those on their board are looked at; whoever names some has
    found that the person may see them."""

    def __init__(self, desk: Desk, departments: Sequence[Department] | None = None, window: Window | None = None):
        self.desk = desk
        self.user = desk.user
        self.departments = on_board(desk) if departments is None else list(departments)
        self.window = window or Window(timezone.now())

    @property
    def now(self) -> datetime:
        return self.window.until

    @property
    def ids(self) -> list[UUID]:
        return [each.pk for each in self.departments]

    # Selections: what can be counted --------------------------------------------------------------------------------
    @property
    def items(self) -> QuerySet[QueueItem]:
        return QueueItem.objects.visible_to(self.user).filter(department__in=self.ids)

    @property
    def hand_offs(self) -> QuerySet[HandOff]:
        """Hand-offs from or to these departments. One that a confidential department gave or was offered exists for its
        own people alone, and so does every one of a conversation that became confidential."""
        own = rights(self.user).roles
        known = [each.pk for each in self.desk.all_departments.values() if not each.confidential or each.pk in own]
        seen = Q(item__confidential=False) | Q(item__department__in=own)
        return HandOff.objects.filter(
            Q(item__department__in=self.ids) | Q(to__in=self.ids),
            seen & Q(item__sealed=False) | Q(to__in=own, to__confidential=True),
            item__department__in=known,
            to__in=known,
        )

    @property
    def offers(self) -> QuerySet[HandOff]:
        """Hand-offs that nobody has answered."""
        return self.hand_offs.filter(WAITS)

    @property
    def handed(self) -> QuerySet[HandOff]:
        """Hand-offs of the last seven days that were not taken back."""
        return self.hand_offs.filter(at__gt=self.now - WEEK, withdrawn_at=None)

    @property
    def rounds(self) -> QuerySet[QueueItem]:
        """The leading items of open conversations that were handed on twice or more within a week."""
        often = self.handed.values("item__conversation").annotate(times=Count("pk")).filter(times__gte=2).order_by()
        return self.items.open().filter(lead=True, conversation__in=often.values("item__conversation"))

    @property
    def replies(self) -> QuerySet[Reply]:
        return Reply.objects.visible_to(self.user).filter(department__in=self.ids)

    @property
    def answers(self) -> QuerySet[Reply]:
        """First answers of the window, each with `asked_at` and `waited`, and `due_at` when its department had a clock.

        A person waits from the first spell that had not ended when they wrote what was answered, whichever departments
        had the conversation since. History has no clocks and is not counted.
        """
        spells = Clock.objects.filter(item__conversation=OuterRef("conversation"))
        lasting = Q(stopped_at=None) | Q(stopped_at__gte=OuterRef("target__received_at"))
        own = spells.filter(item__department=OuterRef("department"), started_at__lte=OuterRef("sent_at"))
        earlier = Reply.objects.filter(conversation=OuterRef("conversation"), sent_at__lt=OuterRef("sent_at"))
        sent = self.replies.filter(sent_at__gt=self.window.since, state=Reply.State.SENT)
        return sent.filter(~Exists(earlier), Exists(spells.filter(lasting))).annotate(
            asked_at=Subquery(spells.filter(lasting).order_by("started_at").values("started_at")[:1]),
            due_at=Subquery(own.order_by("-started_at").values("due_at")[:1]),
            waited=F("sent_at") - F("asked_at"),
        )

    # Readings: one query each ---------------------------------------------------------------------------------------
    @cached_property
    def counts(self) -> Mapping[UUID, Mapping[str, int]]:
        """Kept by the database, so that nothing has to be counted."""
        return {pk: self.desk.counts[pk] for pk in self.ids}

    @cached_property
    def came(self) -> Mapping[UUID, list[int]]:
        """What was placed in each queue, by the hour, over the window and one as long before it; the latest last."""
        hours = 2 * int(self.window.length.total_seconds() // 3600)
        items = self.items.filter(probably_nothing=False, placed_at__gt=self.now - 2 * self.window.length)
        ago = HoursBefore(Value(self.now), F("placed_at"))
        rows = items.values_list("department", ago).annotate(Count("placed_at")).order_by()
        found = {pk: [0] * hours for pk in self.ids}
        for department, hour, number in rows:
            found[department][-1 - hour] += number
        return found

    def last(self, department: Department) -> list[int]:
        """What came to this department in each hour of the window."""
        hours = self.came[department.pk]
        return hours[len(hours) // 2 :]

    @property
    def latest(self) -> Mapping[UUID, int]:
        """What came in the window."""
        return {each.pk: sum(self.last(each)) for each in self.departments}

    @property
    def earlier(self) -> Mapping[UUID, int]:
        """What came in as long a time before it."""
        return {pk: sum(hours[: len(hours) // 2]) for pk, hours in self.came.items()}

    @cached_property
    def late(self) -> Mapping[UUID, Late]:
        now = Q(due_at__lte=self.now)
        rows = self.items.open().filter(due_at__isnull=False).values("department").order_by()
        rows = rows.annotate(
            overdue=Count("due_at", filter=now),
            unassigned=Count("due_at", filter=now & Q(assignee=None)),
            oldest=Min("waiting_since"),
        )
        found = {row.pop("department"): Late(**row) for row in rows}
        return {pk: found.get(pk, Late()) for pk in self.ids}

    @cached_property
    def people(self) -> Mapping[UUID, list[User]]:
        """Who works in each department and is here now."""
        return everybody_in(self.departments, seen_since=self.now - HERE)

    @cached_property
    def passed(self) -> list[Passed]:
        week, stuck = Q(at__gt=self.now - WEEK, withdrawn_at=None), WAITS & Q(at__lte=self.now - PATIENCE)
        rows = self.hand_offs.filter(week | WAITS).values(giver=F("item__department"), taker=F("to")).order_by()
        rows = rows.annotate(
            week=Count("pk", filter=week),
            accepted=Count("pk", filter=week & Q(accepted_at__isnull=False)),
            waiting=Count("pk", filter=WAITS),
            stuck=Count("pk", filter=stuck),
            since=Min(Case(When(stuck, then=F("at")))),
        )
        return [Passed(**row) for row in rows]

    @cached_property
    def round(self) -> QueueItem | None:
        """The most urgent of `rounds`, with their number in `among`."""
        return self.rounds.annotate(among=Over(Count("pk"))).urgent_first().first()

    @cached_property
    def answered(self) -> Answered:
        kept = Q(sent_at__lte=F("due_at"))
        return Answered(
            **self.answers.aggregate(
                number=Count("pk"),
                median=Median("waited", output_field=DurationField()),
                timed=Count("due_at"),
                in_time=Count("pk", filter=kept),
            )
        )

    @cached_property
    def stranded(self) -> int:
        """Replies that wait for somebody to look at them."""
        return self.replies.filter(state=Reply.State.NEEDS_PERSON).count()
