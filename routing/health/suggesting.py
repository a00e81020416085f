"""Rules that corrections speak for: “12 of 14 posts with “vacancy” went from customer service to HR”.

Only corrections that the person may see count, so each sees suggestions of their own; what is kept is only which were
taken or dismissed (`SuggestedRule`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils import timezone

from departments.models import User
from inbox.models import Message
from routing import actions
from routing.learning.measuring import wilson
from routing.learning.vocabulary import words_of
from routing.models import Correction, RuleSet, RuleSetVersion, SuggestedRule
from routing.saying import listed, quoted

#: The newest corrections that are looked at.
MOST = 2000
#: A word speaks for a rule when so many posts with it were moved the same way, when that is so much of all posts with
#: it that lay there, and when chance alone would hardly do it (the lower end of the interval).
LEAST, SHARE, SURELY = 5, 0.75, 0.5
#: Words whose posts are so much the same stand in one rule.
ALIKE = 0.6
#: What stands in so much of all other posts speaks for nothing; words join another's rule only when they are rare in
#: enough of them.
COMMON, RARE, ENOUGH = 0.03, 0.005, 300


class Told(NamedTuple):
    """One correction: its message's words, where it lay, and where it belongs (slugs; empty: nowhere, nobody)."""

    message: str
    words: frozenset[str]
    was: str
    belongs: str


@dataclass(frozen=True)
class Suggestion:
    """A rule, and what speaks for it: `moved` of the `seen` posts with these words that lay in `was` went to `to`."""

    words: tuple[str, ...]
    was: str
    to: str
    moved: int
    seen: int
    messages: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        return f"{self.words[0]}: {self.was} > {self.to}"[:200]

    @property
    def surely(self) -> float:
        """The share that holds with 95 % confidence."""
        return wilson(self.moved, self.seen)[0]

    def rule(self, uid: str, name: str) -> dict[str, Any]:
        """As a stored rule."""
        when = {"field": "text", "op": "any", "value": list(self.words)}
        return {"uid": uid, "name": name[:80], "when": when, "then": {"place": self.to}}


@dataclass(frozen=True)
class Others:
    """All other posts of late: how many were read, and in how many of them each word stands."""

    read: int = 0
    words: Counter[str] = field(default_factory=Counter)

    def share(self, word: str) -> float:
        return self.words[word] / self.read if self.read else 0.0

    def is_rare(self, word: str) -> bool:
        return self.read >= ENOUGH and self.share(word) <= RARE


def suggest(told: Sequence[Told], others: Others = Others()) -> list[Suggestion]:
    """What these corrections speak for, the strongest first. Pure."""
    found: list[Suggestion] = []
    for was, to in sorted({(each.was, each.belongs) for each in told if each.was and each.belongs}):
        if was != to:
            found += _of_way(was, to, told, others)
    return sorted(found, key=lambda each: (-each.surely, -each.moved, each.about))


def _of_way(was: str, to: str, told: Sequence[Told], others: Others) -> Iterable[Suggestion]:
    """Words that lead from one department to another, each with those that go with it."""
    moved, seen = _with_words(was, to, told)
    spoken = {
        word: those
        for word, those in moved.items()
        if _speaks(len(those), len(seen[word])) and others.share(word) <= COMMON
    }
    while spoken:
        best = min(spoken, key=lambda word: (-len(spoken[word]), others.share(word), -len(word), word))
        alike = {word for word in spoken if _overlap(spoken[word], spoken[best]) >= ALIKE}
        words = [best, *sorted(word for word in alike - {best} if others.is_rare(word))][:8]
        went, there = (set().union(*(held[word] for word in words)) for held in (moved, seen))
        yield Suggestion(tuple(words), was, to, len(went), len(there), tuple(sorted(went)))
        rest = {word: those - went for word, those in spoken.items() if word not in alike}
        spoken = {word: those for word, those in rest.items() if len(those) >= LEAST}


def _with_words(was: str, to: str, told: Sequence[Told]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """For each word the messages with it that lay in the one department: those that went to the other, and all."""
    moved: dict[str, set[str]] = defaultdict(set)
    seen: dict[str, set[str]] = defaultdict(set)
    for each in told:
        if (each.was or each.belongs) != was:  # what was confirmed has lain where it belongs
            continue
        for word in each.words:
            seen[word].add(each.message)
            if each.belongs == to:
                moved[word].add(each.message)
    return moved, seen


def _speaks(moved: int, seen: int) -> bool:
    return moved >= LEAST and moved >= SHARE * seen and wilson(moved, seen)[0] >= SURELY


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)


# For a person --------------------------------------------------------------------------------------------------
def told_to(user: User) -> list[Told]:
    """The newest corrections that the person may see, each with its words."""
    seen = (
        Correction.objects.visible_to(user)
        .newest(MOST)
        .values_list("message", "message__title", "message__text", "was__slug", "belongs__slug")
    )
    return [
        Told(str(message), words_of(f"{title}\n{text}"), was or "", belongs or "")
        for message, title, text, was, belongs in seen
    ]


def others_of(user: User) -> Others:
    """The newest posts that the person may see and nobody corrected."""
    seen = Message.objects.visible_to(user).from_outside().filter(correction=None, deleted_at=None)
    texts = seen.order_by("-created_at").values_list("title", "text")[:MOST]
    words = [words_of(f"{title}\n{text}") for title, text in texts]
    return Others(len(words), Counter(word for each in words for word in each))


def suggestions(user: User, house: RuleSet) -> list[Suggestion]:
    """What the person may be told for the house's rules: not what was answered before, nor what a rule says already."""
    answered = set(SuggestedRule.objects.filter(rule_set=house).exclude(state="new").values_list("about", flat=True))
    said = _words_of_rules(house.live)
    return [
        each
        for each in suggest(told_to(user), others_of(user))
        if each.about not in answered and not said.issuperset((word, each.to) for word in each.words)
    ]


def _words_of_rules(live: RuleSetVersion | None) -> set[tuple[str, str]]:
    """Pairs of a word and the department in which a live rule places what has it, of rules that ask for no more."""
    return {
        (word.casefold(), rule["then"].get("place") or "")
        for rule in (live.rules if live else [])
        if rule["when"].get("field") == "text" and rule["when"].get("op") == "any"
        for word in rule["when"]["value"]
    }


def take(suggestion: Suggestion, house: RuleSet, *, names: dict[str, str], uid: str, by: User) -> RuleSetVersion:
    """Draft the house's rules with this one at the top, to be tried on the past before it is put in force."""
    sentence = sentence_of(suggestion, names)
    rule = suggestion.rule(uid, f"{', '.join(suggestion.words[:3])}: {names.get(suggestion.to, suggestion.to)}")
    live = house.live
    version = actions.draft(house, [rule, *(live.rules if live else [])], by=by, why=sentence)
    answer(suggestion, house, SuggestedRule.State.TAKEN, by=by, rule=rule)
    return version


def dismiss(suggestion: Suggestion, house: RuleSet, *, by: User) -> None:
    """Do not suggest it again."""
    answer(suggestion, house, SuggestedRule.State.DISMISSED, by=by)


def answer(suggestion: Suggestion, house: RuleSet, state: str, *, by: User, rule: dict[str, Any] | None = None) -> None:
    SuggestedRule.objects.update_or_create(
        rule_set=house,
        about=suggestion.about,
        defaults={
            "rule": rule or {},
            "evidence": {"moved": suggestion.moved, "seen": suggestion.seen},
            "state": state,
            "answered_by": by,
            "answered_at": timezone.now(),
        },
    )


def sentence_of(suggestion: Suggestion, names: dict[str, str]) -> str:
    """“12 of 14 posts with “vacancy” went from Customer service to HR”."""
    said = listed(quoted(suggestion.words))
    ways = (names.get(slug, slug) for slug in (suggestion.was, suggestion.to))
    return "{} of {} posts with {} went from {} to {}".format(suggestion.moved, suggestion.seen, said, *ways)[:300]
