"""Notices: that somebody should look at a conversation. Made inside the transaction of what they tell of."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from departments.access import people_of
from departments.models import User
from inbox.models import Notice, Reply


def leave(notices: Iterable[tuple[User, str, str]]) -> None:
    """A notice for each of these: whom, about which conversation, why. Whoever calls knows that they may see it; it is
    asked again whenever it is shown."""
    Notice.objects.bulk_create(Notice(user=user, conversation_id=talk, why=why[:200]) for user, talk, why in notices)


def ask_leads(written: Reply) -> None:
    """Tell the department's leads that a reply waits for one of them."""
    leads = people_of(written.department, "lead_queue").exclude(pk=written.author_id)
    leave((lead, str(written.conversation_id), f"A reply of {written.author} waits for approval") for lead in leads)


@transaction.atomic
def read_notices(which: Iterable[int] | None = None, *, by: User) -> int:
    """These of one's own notices, or all, are read. How many were not before."""
    unread = Notice.objects.filter(user=by).unread()
    if which is not None:
        unread = unread.filter(pk__in=list(which))
    return unread.update(read_at=timezone.now())
