"""Near copies among messages: their fingerprints are kept as rows while a rule asks for them, so that every worker
finds what the others saw, and a worker that starts anew finds them too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db.models import QuerySet

from departments.models import User
from inbox.models import Message
from routing.facts import Facts, facts_of_message
from routing.models import Fingerprint
from routing.scoring.similar import WITHIN, Copies, Print, alike, prints


class Said(Protocol):
    """A post with its facts."""

    @property
    def id(self) -> str: ...

    @property
    def facts(self) -> Facts: ...

    @property
    def confidential(self) -> bool: ...

    @property
    def stored(self) -> bool: ...


def count(posts: Sequence[Said], *, keep: bool = False, near: Copies | None = None) -> dict[str, int]:
    """For each of these posts that has a fingerprint, how many near copies of it came within a day before, with this
    one. `keep` stores the fingerprints; with `near` the copies are sought there, and these posts are left in it."""
    told = prints([each.facts.text for each in posts])
    printed = [(each, own) for each, own in zip(posts, told, strict=True) if own]
    if near is None:
        near = _kept_near(printed)
    elif posts:
        near.forget_before(min(each.facts.created_at for each in posts))
    if keep:
        Fingerprint.objects.keep((each.id, own, each.facts.created_at) for each, own in printed)
    for each, own in printed:
        if _counts(each):
            near.add(own, [each.facts.created_at])
    return {each.id: near.count(own, each.facts.created_at) + (not _counts(each)) for each, own in printed}


def _counts(post: Said) -> bool:
    """Whether others may meet it; each meets itself."""
    return post.stored and not post.confidential


def _kept_near(printed: Sequence[tuple[Said, Print]]) -> Copies:
    """What other messages said that may be near copies of these: those that share a band."""
    found = Copies()
    if not printed:
        return found
    times = [each.facts.created_at for each, _ in printed]
    own = [each.id for each, _ in printed if each.stored]
    seen = Fingerprint.objects.near(
        (told for _, told in printed), after=min(times) - WITHIN, until=max(times), but_for=own
    )
    for numbers, at in seen:
        found.add(Print.of(numbers), at)
    return found


def similar_to(message: Message, user: User) -> QuerySet[Message]:
    """The near copies of this message, of which fingerprints are kept, that the user may see. The message came with
    its channel and identity, and the user was found to see it."""
    facts = facts_of_message(message, is_reply_to_us=False)
    (own,) = prints([facts.text])
    seen = Message.objects.visible_to(user)
    if own is None:
        return seen.none()
    kept = Fingerprint.objects.filter(bands__overlap=[*own.bands], message__in=seen).exclude(pk=message.pk)
    by_numbers: dict[bytes, list[Any]] = {}
    for id, numbers in kept.values_list("pk", "numbers"):
        by_numbers.setdefault(bytes(numbers), []).append(id)
    near = alike(own, by_numbers)
    return seen.filter(pk__in=[id for numbers in near for id in by_numbers[numbers]])


def tidy(now: datetime) -> None:
    """Let go of fingerprints for which nobody asks any more."""
    Fingerprint.objects.stale(now).delete()
