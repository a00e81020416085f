"""What rules may name at the moment, for those who read them (routing/rules.py)."""

from departments.access import people_of
from departments.models import Department, User
from routing.models import AuthorList, Campaign
from routing.rules import Known


def known_to(department: Department | None) -> Known:
    """What the rules of the house may name, or a department's own: those only its own people."""
    people = User.objects.active() if department is None else people_of(department)
    return Known(
        departments=dict(Department.objects.open().filter(is_triage=False).values_list("slug", "name")),
        people=frozenset(people.values_list("username", flat=True)),
        lists=frozenset(AuthorList.objects.values_list("slug", flat=True)),
        campaigns=frozenset(Campaign.objects.values_list("slug", flat=True)),
    )
