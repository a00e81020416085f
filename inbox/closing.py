"""Why a department can not be closed, as far as the inbox knows."""

from departments.actions import may_object_to_closing
from departments.models import Department
from inbox.models import QueueItem


@may_object_to_closing
def holds_work(department: Department) -> str:
    """It says that, and not how much: a confidential department tells nobody."""
    unresolved = QueueItem.objects.filter(department=department, sealed=False).exclude(status=QueueItem.Status.RESOLVED)
    return f"Not everything that lies in {department} is resolved. Resolve it or hand it on first." if unresolved.exists() else ""
