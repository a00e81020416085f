"""What templates ask about the person before them: which verbs to draw, where to place, which list they came from."""

from functools import cache

from django import template
from django.template import engines
from django.urls import reverse
from django.utils.http import urlencode

from departments.access import may
from inbox.desk import desk_of

register = template.Library()

#: The tab and the order in which a list opens.
USUAL = ("all", "urgent", "")


@register.filter
def works_in(user, department) -> bool:
    """Whether the verbs of this queue are drawn for this person. The verbs ask again."""
    return may(user, "work_queue", department)


@register.simple_tag(takes_context=True)
def row(context, item, several: bool = False, here: str = "") -> str:
    """One row of a list."""
    user = context["request"].user
    return _row_drawn()(item, user, works_in(user, item.department), several, here)


@cache
def _row_drawn():
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
