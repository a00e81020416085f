"""The newest posts that somebody may see, made ready for rules, so that a condition can be tried while it is typed.

Who may see what is asked anew each time; what was worked out of a post's text is kept for a while in this process, by
message and revision, because to cut two thousand texts into words takes longer than to type a letter.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from departments.models import User
from departments.rows import id_of
from inbox.waiting import Waiting, as_they_waited
from routing.deciding import Book
from routing.facts import Facts, facts_of_message
from routing.gathering import LOOKED_UP, Asked, look_up
from routing.models import Decision, MessageScores
from routing.parts import Part, Span
from routing.rules import Rule

#: Posts that a condition is tried on while it is typed, and how many of those that fit are shown.
MOST, SHOWN = 2_000, 3
#: Decisions that are gone through to find them: who sees few posts among very many is shown fewer.
LOOKED_THROUGH = 20_000
#: Posts that this process keeps made ready, and for how many seconds: lists and campaigns change.
KEPT, SECONDS = 5_000, 120

#: What only a model can tell of a post, by the words of `Facts`.
_READ = frozenset({"mood", "labels"})
#: Message and revision.
Key = tuple[str, int]
_kept: OrderedDict[Key, "Recent"] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Recent:
    """A post as rules see it, and where it is read. `known` is what was looked up of it."""

    conversation: str
    confidential: bool
    facts: Facts
    until: float
    known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """One of the posts that fit, with the places that were found in its text."""

    post: Recent
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Count:
    """How many of the posts fit; of how many; how many of them an earlier rule takes already; the newest that fit."""

    fits: int
    of: int
    taken: int
    newest: tuple[Found, ...] = ()


def count(condition: Part, posts: Sequence[Recent], earlier: Iterable[Rule] = (), *, shown: int = SHOWN) -> Count:
    """Try a condition on these posts. `earlier` are the rules before it: those that place or stop take posts first."""
    fitting = [each for each in posts if condition.holds(each.facts)]
    takers = Book("", 0, [each for each in earlier if each.on and (each.then.places or each.then.stop)])
    taken = sum(next(iter(takers.fitting(each.facts)), None) is not None for each in fitting) if takers.rules else 0
    newest = tuple(Found(each, hit.spans) for each in fitting[:shown] if (hit := condition.matches(each.facts)))
    return Count(len(fitting), len(posts), taken, newest)


def asked_of(condition: Part) -> frozenset[str]:
    """What has to be looked up or read of a post before this condition can be tried on it."""
    return frozenset(question.needs for _, question in condition.questions() if question.needs)


def recent_posts(user: User, asks: Iterable[str] = (), most: int = MOST) -> list[Recent]:
    """The newest posts from outside that this person may see, the newest first, with what a rule `asks` for. What
    models say of them is what they said already: nothing is read anew while somebody types."""
    wanted, now = _visible(user, most), time.monotonic()
    with _lock:
        known = {key: _kept[key] for key in wanted if key in _kept and _kept[key].until > now}
    known |= _read([key for key in wanted if key not in known], now + SECONDS)
    known |= _looked_up(known, LOOKED_UP.intersection(asks))
    known |= _told_by_models(known, _READ.intersection(asks))
    _keep(known)
    return [known[key] for key in wanted if key in known]


def _visible(user: User, most: int) -> list[Key]:
    """Each message with its revision, asked of the database whatever is kept here. Decisions are numbered as they were
    made, so the newest are found without sorting all that ever came in."""
    last = Decision.objects.order_by("-id").values_list("id", flat=True).first() or 0
    mine = Decision.objects.live().filter(pk__gt=last - LOOKED_THROUGH).visible_to(user)
    alive = mine.filter(message__deleted_at=None, message__direction="in").order_by("-id")
    found = alive.annotate(named=id_of("message_id")).values_list("named", "message__revision")
    # Some were decided once for each revision.
    return list(dict.fromkeys(found[: most + most // 4]))[:most]


def _read(keys: list[Key], until: float) -> dict[Key, Recent]:
    read = as_they_waited([id for id, _ in keys]) if keys else []
    return {(each.id, each.revision): _made(each, until) for each in read}


def _made(message: Waiting, until: float) -> Recent:
    facts = facts_of_message(message, is_reply_to_us=message.answers_us)
    return Recent(message.conversation_id, message.talk.confidential, facts, until)


def _looked_up(posts: dict[Key, Recent], wants: frozenset[str]) -> dict[Key, Recent]:
    lacking = {key: post for key, post in posts.items() if wants - post.known}
    asked = [Asked(id, post.facts, wants - post.known, post.confidential) for (id, _), post in lacking.items()]
    found = look_up(asked) if asked else {}
    return {
        key: replace(post, facts=_with_words(found[key[0]], post.facts), known=post.known | wants)
        for key, post in lacking.items()
    }


def _told_by_models(posts: dict[Key, Recent], wants: frozenset[str]) -> dict[Key, Recent]:
    lacking = {key: post for key, post in posts.items() if wants - post.known}
    asked = MessageScores.objects.filter(message__among={id for id, _ in lacking}).order_by("id") if lacking else None
    rows = asked.annotate(of=id_of("message_id")).values_list("of", "revision", "mood", "labels") if asked else ()
    found = {(of, revision): (mood, tuple((slug, p) for slug, p in labels)) for of, revision, mood, labels in rows}
    told = {}
    for key, post in lacking.items():
        mood, labels = found.get(key, (None, ()))
        facts = _with_words(replace(post.facts, mood=mood, labels=labels), post.facts)
        told[key] = replace(post, facts=facts, known=post.known | _READ)
    return told


def _with_words(facts: Facts, before: Facts) -> Facts:
    """What was already worked out of the text is kept."""
    facts.__dict__.update({name: value for name, value in before.__dict__.items() if name not in facts.__dict__})
    return facts


def _keep(posts: dict[Key, Recent]) -> None:
    with _lock:
        for key, post in posts.items():
            _kept[key] = post
            _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
