"""What templates ask about the person before them: which verbs to draw, where to place, which list they came from."""

from functools import cache, lru_cache
from typing import NamedTuple
from uuid import UUID

from django import template
from django.template import engines
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from departments.access import may
from departments.models import User
from inbox.desk import desk_of
from inbox.listing import Listed
from socialhub.templatetags import look

register = template.Library()

#: The tab and the order in which a list opens.
USUAL = ("all", "urgent", "")


@register.filter
def works_in(user, department) -> bool:
    """Whether the verbs of this queue are drawn for this person. The verbs ask again."""
    return may(user, "work_queue", department)


class Queue(NamedTuple):
    """A department as a row shows it."""

    slug: str
    hue: str
    name: str
    is_triage: bool


class Row(NamedTuple):
    """All that a row is drawn of: rows of the same values look the same."""

    id: UUID
    conversation: UUID
    unread: bool
    verbs: str | None  # which of them this person is offered here; None where they work nothing
    author_name: str
    author_handle: str
    network: str
    kind: str
    rating: int | None
    followers: int | None
    language: str
    preview: str
    why: str
    mood: int | None
    priority: int
    clock: str
    mate: str
    queue: Queue
    others: tuple[Queue, ...]
    several: bool
    here: str


@register.simple_tag(takes_context=True)
def rows(context, items: list[Listed], several: bool, here: str, sort: str) -> SafeString:
    """The rows of a list; where it is sorted by urgency, each group below its heading."""
    user, works, drawn, heading = _plain(context["request"].user), {}, [], ""
    now, tonight = timezone.now(), look.end_of_today()
    for item in items:
        if sort != "newest" and (new := look.urgency(item, now, tonight)) != heading:
            heading = new
            drawn.append(f'<li class="group">{heading}</li>')
        if (queue := item.department_id) not in works:
            works[queue] = works_in(user, item.department)
        drawn.append(_drawn(_row(item, user, works[queue], several, here)))
    return mark_safe("".join(drawn))


@register.simple_tag(takes_context=True)
def row(context, item: Listed) -> SafeString:
    """One row of a list."""
    user = _plain(context["request"].user)
    return _drawn(_row(item, user, works_in(user, item.department), False, ""))


def _plain(user) -> User:
    """The person without the wrapper in which a request has them: it is asked for hundreds of times."""
    user.pk  # noqa: B018  (now they are there)
    return getattr(user, "_wrapped", user)


def _row(item: Listed, user: User, works: bool, several: bool, here: str) -> Row:
    return Row(
        item.id, item.conversation_id, item.unread, _verbs(item, user) if works else None,
        item.author_name, item.author_handle, item.network, item.kind, item.rating, item.followers, item.language,
        item.preview, item.why, item.mood, item.priority, look.clock(item), look.mate(item.assignee, user),
        _queue(item.department), tuple(map(_queue, item.others)), several, here,
    )  # fmt: skip


def _verbs(item: Listed, user: User) -> str:
    verbs = "take " if item.assignee_id != user.pk else ""
    if item.status == "resolved":
        return f"{verbs}reopen"
    if item.handed_to_id:
        return verbs
    return f"{verbs}resolve move" if item.department.is_triage else f"{verbs}resolve"


def _queue(department) -> Queue:
    return Queue(department.slug, department.hue, department.name, department.is_triage)


#: A page is asked for again whenever a queue rings, by everybody who looks at it; most rows are as they were.
@lru_cache(maxsize=2_000)
def _drawn(row: Row) -> SafeString:
    return _macro()(row)


@cache
def _macro():
    return engines["jinja2"].env.get_template("inbox/_row.html").module.row


@register.simple_tag(takes_context=True)
def places_to(context) -> list:
    """The departments in which an item of Triage can be placed, in the order of their number keys."""
    return [each for each in desk_of(context["request"]).all_departments.values() if not each.is_triage][:9]


@register.simple_tag(takes_context=True)
def several_queues(context, department) -> bool:
    """Whether rows have to say in which queue they lie: on a page of all queues, when there is more than one."""
    return department is None and len(desk_of(context["request"]).departments) > 1


@register.simple_tag
def here_as_query(tab: str, sort: str) -> str:
    """The list's tab and order, to be added to the address of a conversation; nothing where they are the usual ones."""
    return "".join(f"&{name}={value}" for name, value in (("tab", tab), ("sort", sort)) if value not in USUAL)


@register.simple_tag(takes_context=True)
def came_from(context) -> dict:
    """From which list somebody came to a conversation: its queue, tab and order, and the same as a query."""
    request = context["request"]
    came = {name: request.POST.get(name) or request.GET.get(name, "") for name in ("in", "tab", "sort")}
    desk = desk_of(request)
    department = desk.department(came["in"]) if came["in"] else None
    here = {name: value for name, value in came.items() if value and (name != "in" or department)}
    shown = {name: value for name, value in here.items() if name != "in"}
    address = reverse("queue", args=[department.slug]) if department else reverse("inbox")
    return {
        "department": department,
        "title": str(department or "Inbox"),
        "list_url": f"{address}?{urlencode(shown)}" if shown else address,
        "query": urlencode(here),
        "fields": here,
    }
