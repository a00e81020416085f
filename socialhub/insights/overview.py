"""The coordinator's board: what it shows, put together from readings that each cost one query."""

from dataclasses import dataclass
from functools import cached_property

from departments.access import rights
from departments.models import Department, User
from inbox.desk import Desk
from inbox.models import QueueItem
from inbox.paging import Order, page
from socialhub.insights import charts, ingest
from socialhub.insights.gaps import Gap, gaps
from socialhub.insights.metrics import (
    FIGURES,
    FIRST_ANSWER,
    HANDED,
    IN_TIME,
    NEW,
    OFFERED,
    OPEN,
    OVERDUE,
    UNASSIGNED,
    WAITING,
    Metric,
    Value,
)
from socialhub.insights.sight import Late, Sight

LATEST = 8
ARRIVAL = Order("placed_at", descending=True)
#: What the table counts; how long the oldest waits, who is here and the last day stand after these.
COLUMNS = (NEW, OPEN, OVERDUE, UNASSIGNED, WAITING)
#: The canvas of the hand-offs: names stand left of the one and right of the other.
GIVERS, TAKERS, FLOW_WIDTH, FLOW_HEIGHT = 112.0, 252.0, 368, 310.0


@dataclass(frozen=True)
class Figure:
    """A number, where its rows are, and what to hold it against."""

    metric: Metric
    value: Value
    url: str
    beside: str = ""

    @property
    def is_alarm(self) -> bool:
        return self.metric is OVERDUE and bool(self.value)


@dataclass(frozen=True)
class Row:
    """One department; `figures` in the order of `COLUMNS`."""

    department: Department
    figures: list[Figure]
    late: Late
    people: list[User]
    hours: list[int]


class Board:
    """Everything on the page, for one person."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self.sight = Sight(desk)
        self.columns = COLUMNS

    @cached_property
    def figures(self) -> list[Figure]:
        sight = self.sight
        return [Figure(each, each.value(sight), each.url(sight), BESIDE[each.key](sight)) for each in FIGURES]

    @cached_property
    def rows(self) -> list[Row]:
        return [self._row(each) for each in self.sight.departments]

    def _row(self, department: Department) -> Row:
        sight, pk = self.sight, department.pk
        figures = [Figure(each, each.each(sight)[pk], each.url(sight, department)) for each in COLUMNS]
        return Row(department, figures, sight.late[pk], sight.people[pk], sight.last(department))

    @cached_property
    def locked(self) -> list[Department]:
        """Confidential departments, by name alone, for those who see all the others with figures."""
        if not rights(self.sight.user).sees_ordinary:
            return []
        shown = self.sight.ids
        return [each for each in self.desk.all_departments.values() if each.confidential and each.pk not in shown]

    @property
    def table(self) -> list[tuple[Department, Row | None]]:
        """The departments in the order of the rail, each with its row; those that are locked have none."""
        rows = {row.department.pk: row for row in self.rows} | {each.pk: None for each in self.locked}
        return [(each, rows[each.pk]) for each in self.desk.all_departments.values() if each.pk in rows]

    @cached_property
    def channels(self) -> list[ingest.Line]:
        return ingest.lines(self.sight.user, self.sight.now)

    @cached_property
    def gaps(self) -> list[Gap]:
        return gaps(self.sight, self.channels)

    @property
    def in_gaps(self) -> int:
        return sum(each.number for each in self.gaps)

    # Hand-offs ------------------------------------------------------------------------------------------------------
    @cached_property
    def handed(self) -> Figure:
        return Figure(HANDED, HANDED.value(self.sight), HANDED.url(self.sight))

    @cached_property
    def offered(self) -> Figure:
        return Figure(OFFERED, OFFERED.value(self.sight), OFFERED.url(self.sight))

    @property
    def accepted(self) -> int:
        return sum(each.accepted for each in self.sight.passed)

    @cached_property
    def flows(self) -> list[charts.Flow]:
        """Who gave how much to whom in seven days, the most first."""
        known, passed = self.desk.all_departments, [each for each in self.sight.passed if each.week]
        found = [charts.Flow(known[each.giver], known[each.taker], each.week) for each in passed]
        return sorted(found, key=lambda flow: -flow.number)

    @cached_property
    def sankey(self) -> charts.Sankey:
        order = list(self.desk.all_departments.values())
        return charts.sankey(self.flows, order, left=GIVERS, right=TAKERS, high=FLOW_HEIGHT)

    # The stream -----------------------------------------------------------------------------------------------------
    @cached_property
    def latest(self) -> list[QueueItem]:
        """What came last, as it came: one short walk along the index of each queue."""
        items = QueueItem.objects.filter(probably_nothing=False)
        reads = [items.in_queue(each, self.sight.user) for each in self.sight.departments]
        found = page(reads, ARRIVAL, size=LATEST).rows
        for item in found:
            item.department = self.desk.all_departments[item.department_id]
        return found

    @property
    def watch(self) -> str:
        """What rings when the board has to be fetched anew."""
        return " ".join([*(f"queue:{pk}" for pk in self.sight.ids), "channels"])


# What stands beside a figure ----------------------------------------------------------------------------------------
def _against_yesterday(sight: Sight) -> str:
    """Against as long a time before, once there is enough to compare with."""
    now, before = NEW.value(sight), sum(sight.earlier.values())
    if before < 10:
        return "in 24 hours"
    percent = round(100 * (now - before) / before)
    if not percent:
        return "as many as the day before"
    return f"{abs(percent)}\u202f% {'over' if percent > 0 else 'under'} the day before"


def _waiting(sight: Sight) -> str:
    number = WAITING.value(sight)
    return f"{number} {'waits' if number == 1 else 'wait'} for others" if number else "nothing waits for others"


def _nobodys(sight: Sight) -> str:
    number = sum(each.unassigned for each in sight.late.values())
    if number:
        return f"{number} of them nobody’s"
    return "all taken by somebody" if OVERDUE.value(sight) else "everything is in time"


def _in_triage(sight: Sight) -> str:
    if number := sum(sight.counts[each.pk]["unassigned"] for each in sight.departments if each.is_triage):
        return f"{number} of them in Triage"
    return "nobody has them yet" if UNASSIGNED.value(sight) else "everything has somebody"


def _median_of(sight: Sight) -> str:
    number = sight.answered.number
    return f"median of {_answers(number)}" if number else "none in 24 hours"


def _kept(sight: Sight) -> str:
    answered = sight.answered
    return f"{answered.in_time} of {_answers(answered.timed)}" if answered.timed else "none in 24 hours"


def _answers(number: int) -> str:
    return f"{number} {'answer' if number == 1 else 'answers'}"


BESIDE = {
    NEW.key: _against_yesterday,
    OPEN.key: _waiting,
    OVERDUE.key: _nobodys,
    UNASSIGNED.key: _in_triage,
    FIRST_ANSWER.key: _median_of,
    IN_TIME.key: _kept,
}
