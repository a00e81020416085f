"""Every number that is shown about the work, defined once: its name, what it counts in a sentence and in rows, and the
quick way to its value. Page, rows, API and export read it from here, so they can not differ.

`rows` is the definition, a selection; `each` or `whole` get to the same number by a reading that costs little. A test
counts the rows of each and compares.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from departments.models import Department, User
from inbox.desk import Desk
from inbox.models import Reply
from inbox.paging import Order
from socialhub.insights.sight import PATIENCE, Sight, Window

Value = int | float | timedelta | None


@dataclass(frozen=True)
class Metric:
    """One number. `holds` says what its rows are: queue items, first answers, hand-offs or replies."""

    key: str
    label: str
    definition: str
    rows: Callable[[Sight], QuerySet]
    each: Callable[[Sight], Mapping[UUID, int]] | None = None
    whole: Callable[[Sight], Value] | None = None
    unit: Literal["number", "span", "share"] = "number"
    holds: Literal["items", "answers", "hand-offs", "replies"] = "items"
    order: Order = Order("sort_at")
    tab: str = ""

    def value(self, sight: Sight) -> Value:
        if self.each:
            return sum(self.each(sight).values())
        return self.whole(sight) if self.whole else None

    def of(self, user: User, window: Window | None = None) -> Value:
        """The number as this person has it."""
        return self.value(Sight(Desk(user), window=window))

    def url(self, sight: Sight, department: Department | None = None) -> str:
        """Where its rows are: the queue itself when a tab of it holds just these, else a page of their own."""
        if self.tab and (place := _queue(sight, department)):
            return place if self.tab == "all" else f"{place}?{urlencode({'tab': self.tab})}"
        place = reverse("overview-rows", args=[self.key])
        return f"{place}?{urlencode({'department': department.slug})}" if department else place


def _queue(sight: Sight, department: Department | None) -> str:
    """The inbox's page over these very departments, if there is one."""
    among = [department] if department else sight.departments
    if len(among) == 1:
        return reverse("queue", args=[among[0].slug])
    return reverse("inbox") if {each.pk for each in among} == {each.pk for each in sight.desk.own} else ""


def _kept(name: str) -> Callable[[Sight], Mapping[UUID, int]]:
    return lambda sight: {pk: counts[name] for pk, counts in sight.counts.items()}


NEW = Metric(
    "new",
    "New",
    "What came into the queues in the last 24 hours, by a rule, a hand-off or a colleague. A conversation that two "
    "departments work on counts in both. What is marked “probably nothing” does not count.",
    rows=lambda sight: sight.items.filter(probably_nothing=False, placed_at__gt=sight.window.since),
    each=lambda sight: sight.latest,
    order=Order("placed_at", descending=True),
)
OPEN = Metric(
    "open",
    "Open",
    "What waits for us now, taken by somebody or not. What is snoozed or waits for the other side does not count, nor "
    "what is marked “probably nothing”.",
    rows=lambda sight: sight.items.open(),
    each=_kept("open"),
    tab="all",
)
OVERDUE = Metric(
    "overdue",
    "Overdue",
    "Open items whose time to answer has run out. The time is the department’s own, shorter for what is urgent.",
    rows=lambda sight: sight.items.overdue(sight.now),
    each=lambda sight: {pk: late.overdue for pk, late in sight.late.items()},
)
UNASSIGNED = Metric(
    "unassigned",
    "Unassigned",
    "Open items that nobody has taken or was given.",
    rows=lambda sight: sight.items.unassigned(),
    each=_kept("unassigned"),
    tab="unassigned",
)
WAITING = Metric(
    "waiting",
    "Waiting for others",
    "Items that need nothing from us now: it is their turn, or they are snoozed.",
    rows=lambda sight: sight.items.waiting_for_others(),
    each=_kept("waiting"),
    tab="waiting",
)
FIRST_ANSWER = Metric(
    "first-answer",
    "First answer",
    "Half of the first answers of the last 24 hours went out within this time. It runs day and night, from when the "
    "person’s post reached us, whichever departments it went through; imported history does not count.",
    rows=lambda sight: sight.answers,
    whole=lambda sight: sight.answered.median,
    unit="span",
    holds="answers",
    order=Order("sent_at", descending=True),
)
IN_TIME = Metric(
    "in-time",
    "Answered in time",
    "Of the first answers of the last 24 hours, the share that went out before the clock of the department that wrote "
    "them had run out.",
    rows=lambda sight: sight.answers.exclude(due_at=None),
    whole=lambda sight: sight.answered.share,
    unit="share",
    holds="answers",
    order=Order("sent_at", descending=True),
)
OFFERED = Metric(
    "offered",
    "Waiting to be accepted",
    "Hand-offs that the other department has neither accepted nor declined.",
    rows=lambda sight: sight.offers,
    whole=lambda sight: sum(each.waiting for each in sight.passed),
    holds="hand-offs",
    order=Order("at"),
)
STUCK = Metric(
    "stuck",
    "Hand-offs not accepted",
    "Hand-offs that have waited for an answer for more than 15 minutes.",
    rows=lambda sight: sight.offers.filter(at__lte=sight.now - PATIENCE),
    whole=lambda sight: sum(each.stuck for each in sight.passed),
    holds="hand-offs",
    order=Order("at"),
)
ROUND = Metric(
    "round",
    "Going round",
    "Open conversations that were handed on twice or more within seven days.",
    rows=lambda sight: sight.rounds,
    whole=lambda sight: sight.round.among if sight.round else 0,
)
NOBODYS = Metric(
    "late-unassigned",
    "Overdue and unassigned",
    "Open items whose time to answer has run out and that nobody has taken.",
    rows=lambda sight: sight.items.overdue(sight.now).filter(assignee=None),
    each=lambda sight: {pk: late.unassigned for pk, late in sight.late.items()},
)
STRANDED = Metric(
    "stranded",
    "Replies that need somebody",
    "Replies of which the network did not say whether it has them: somebody looks there and decides.",
    rows=lambda sight: sight.replies.filter(state=Reply.State.NEEDS_PERSON),
    whole=lambda sight: sight.stranded,
    holds="replies",
    order=Order("created_at"),
)
HANDED = Metric(
    "handed",
    "Hand-offs",
    "What departments handed to each other within seven days, accepted or not; what was taken back does not count.",
    rows=lambda sight: sight.handed,
    whole=lambda sight: sum(each.week for each in sight.passed),
    holds="hand-offs",
    order=Order("at", descending=True),
)

FIGURES = (NEW, OPEN, OVERDUE, UNASSIGNED, FIRST_ANSWER, IN_TIME)
METRICS = {each.key: each for each in (*FIGURES, WAITING, HANDED, OFFERED, STUCK, ROUND, NOBODYS, STRANDED)}
