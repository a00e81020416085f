"""The facts that have to be looked up: only those that a rule asks for, for many messages at once, a statement or two
for each kind of question. Where no rule asks, nothing is looked up and nothing is paid.

What is looked up depends on what was written and when, not on when somebody asks: so a message that is routed, tried
again or worked out anew meets the same facts, as far as lists, campaigns and hours are still the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from connectors.contract import Post
from departments.hours import open_at
from departments.models import Department
from departments.rows import id_of
from inbox.models import Message
from inbox.waiting import Waiting
from routing import copies
from routing.campaigns import Campaigns
from routing.deciding import RuleSets
from routing.facts import Facts, Place, facts_again, facts_of_message, facts_of_post
from routing.models import AuthorList, Campaign
from routing.scoring.similar import Copies
from routing.words import fold

#: An author's messages count for so long.
AUTHOR_DAYS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    """A post whose facts are looked up. `id` is the message's, or any word for one that is not stored; `wants` are
    those facts that nobody knows of it yet."""

    id: str
    facts: Facts
    wants: frozenset[str]
    # Whether it lies in a conversation of which only a confidential department may know.
    confidential: bool = False
    stored: bool = True


# What is gathered -----------------------------------------------------------------------------------------------
def asked_by(*rule_sets: RuleSets) -> frozenset[str]:
    """What any rule of these asks for that has to be looked up."""
    books = [book for each in rule_sets for book in (each.house, *each.own.values())]
    return LOOKED_UP & frozenset().union(*(book.asks for book in books))


def gather(messages: Sequence[Waiting], asks: frozenset[str]) -> dict[str, Facts]:
    """The facts of messages that are being routed, by their ids. Their fingerprints are kept, if a rule asks for near
    copies: so those that come later find them."""
    known = {each.id: facts_of_message(each, is_reply_to_us=each.answers_us) for each in messages}
    if wants := asks & LOOKED_UP:
        posts = [Asked(each.id, known[each.id], wants, each.talk.confidential) for each in messages]
        known |= look_up(posts, keep=True)
    return known


def gather_again(
    messages: Sequence[Waiting],
    asks: frozenset[str],
    *,
    frozen: Mapping[str, Mapping[str, Any]] | None = None,
    near: Copies | None = None,
) -> dict[str, Facts]:
    """The facts of stored messages (`inbox.waiting.as_they_waited`), by their ids. Nothing is kept.

    What a decision kept of a message (`frozen`: id → its facts) is taken from there, and only what it lacks is looked
    up. Who goes through a long history, the oldest first, hands the same `near` on from one thousand to the next: then
    near copies are sought among these messages, whether their fingerprints are kept or not.
    """
    posts = [_again(each, asks & LOOKED_UP, (frozen or {}).get(each.id)) for each in messages]
    return {each.id: each.facts for each in posts} | look_up([each for each in posts if each.wants], near=near)


def _again(message: Waiting, wants: frozenset[str], frozen: Mapping[str, Any] | None) -> Asked:
    if not frozen:
        facts = facts_of_message(message, is_reply_to_us=message.answers_us)
        return Asked(message.id, facts, wants, message.talk.confidential)
    return Asked(message.id, facts_again(message, dict(frozen)), wants - frozen.keys(), message.talk.confidential)


def gather_tried(posts: Sequence[tuple[Post, Place]], asks: frozenset[str]) -> list[Facts]:
    """The facts of posts that are not stored, each as if it alone had come in at its place; in their order."""
    told = [facts_of_post(post, place) for post, place in posts]
    wants = asks & LOOKED_UP
    if not wants:
        return told
    asked = [Asked(str(number), facts, wants, stored=False) for number, facts in enumerate(told)]
    return list(look_up(asked).values())


def look_up(posts: Sequence[Asked], *, keep: bool = False, near: Copies | None = None) -> dict[str, Facts]:
    """These posts' facts with what they want beside, by their ids."""
    found: dict[str, dict[str, Any]] = {each.id: {} for each in posts}
    for name, ask in _LOOK_UPS.items():
        if wanting := [each for each in posts if name in each.wants]:
            for id, value in ask(wanting).items():
                found[id][name] = value
    if wanting := [each for each in posts if "similar" in each.wants]:
        for id, value in copies.count(wanting, keep=keep, near=near).items():
            found[id]["similar"] = value
    return {each.id: replace(each.facts, **found[each.id]) for each in posts}


# One kind of question each --------------------------------------------------------------------------------------
def _author_lists(posts: Sequence[Asked]) -> dict[str, frozenset[str]]:
    names = {each.id: _names_of_author(each.facts) for each in posts}
    lists: dict[str, set[str]] = {}
    for handle, slug in AuthorList.objects.holding(set().union(*names.values())):
        lists.setdefault(handle, set()).add(slug)
    return {id: frozenset().union(*(lists.get(name, ()) for name in given)) for id, given in names.items()}


def _names_of_author(facts: Facts) -> set[str]:
    """What a list may hold of the author: handle or id, for every network or for this one."""
    bare = {name for name in (fold(facts.author_handle.lstrip("@＠")), fold(facts.author_id)) if name}
    return bare | {f"{facts.network}:{name}" for name in bare}


def _campaigns(posts: Sequence[Asked]) -> dict[str, frozenset[str]]:
    """By what a post says itself, or by what the post of ours says that it answers."""
    known = Campaigns(Campaign.objects.all())
    if not known:
        return {}
    own = {each.id: known.of(each.facts) for each in posts}
    answering = {each.id: each.facts for each in posts if each.stored and each.facts.is_reply_to_us}
    for id, title, text, at in _answered(answering):
        own[id] |= known.of(replace(answering[id], text=f"{title}\n{text}", created_at=at))
    return own


def _answered(ids: Iterable[str]) -> Iterable[tuple]:
    said = Message.objects.filter(pk__among=[*ids], parent__direction=Message.Direction.OUT).annotate(named=id_of("pk"))
    return said.order_by().values_list("named", "parent__title", "parent__text", "parent__created_at")


def _open_now(posts: Sequence[Asked]) -> dict[str, frozenset[str]]:
    departments = list(Department.objects.open())
    return {each.id: open_at(departments, each.facts.created_at) for each in posts}


def _author_messages(posts: Sequence[Asked]) -> dict[str, int]:
    stored = {each.id: each.facts.created_at for each in posts if each.stored}
    counted = Message.objects.counted_by_author(stored, AUTHOR_DAYS) if stored else {}
    return counted | {each.id: _would_be(each.facts) for each in posts if not each.stored and each.facts.author_id}


def _would_be(facts: Facts) -> int:
    """The number of this message, if its author wrote it."""
    theirs = Message.objects.from_outside().filter(
        identity__network=facts.network, identity__external_id=facts.author_id, conversation__confidential=False
    )
    return 1 + theirs.filter(created_at__gt=facts.created_at - AUTHOR_DAYS, created_at__lte=facts.created_at).count()


_LOOK_UPS: Mapping[str, Callable[[Sequence[Asked]], Mapping[str, Any]]] = {
    "author_lists": _author_lists,
    "campaigns": _campaigns,
    "open_now": _open_now,
    "author_messages": _author_messages,
}

#: What rules may ask for that has to be looked up, by the words of `Facts`.
LOOKED_UP = frozenset((*_LOOK_UPS, "similar"))
