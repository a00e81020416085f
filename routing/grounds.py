"""What made a model take a post for a department's: the words without which it would have been less sure, and what
people decided of posts that lie nearest. Worked out when somebody asks: it takes a moment, and few ask."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from departments.models import Department, User
from departments.rows import id_of
from inbox.models import Conversation, Message
from inbox.waiting import Waiting, as_they_waited
from routing.facts import Facts, facts_again
from routing.learning.live import unpack
from routing.models import Correction, Decision, Embedding, RoutingModel
from routing.reading import Reader, read, reader, said_of
from routing.saying import percent
from routing.scoring.said import NONE

if TYPE_CHECKING:
    import numpy as np

#: Words that are left out one by one; a longer text would take seconds.
TOKENS = 40
#: Words that are told, and how much less sure one has to leave the model.
WORDS, LESS = 6, 0.01
#: Of the newest corrections so many are compared; the nearest so many are told, if they are as near as that.
CORRECTED, NEAREST, NEAR = 2_000, 3, 0.45
#: Corrected messages without a point that are encoded at a time.
AT_ONCE = 64

_WORD = re.compile(r"\w[\w'’-]*")


@dataclass(frozen=True)
class Word:
    """A word, and by how many hundredths the model would have been less sure without it (0: a word that it learnt)."""

    text: str
    less: int = 0


@dataclass(frozen=True)
class Near:
    """A post that people decided about."""

    conversation: Conversation
    text: str
    belongs: str


@dataclass(frozen=True)
class Grounds:
    """`model` is who decided; `guesses` its best two as (name, percent); `label` is the best one in words."""

    model: RoutingModel
    guesses: list[tuple[str, str]]
    label: str
    words: list[Word]
    nearest: list[Near]


def decided(conversation: Conversation) -> Decision | None:
    """The decision by which the conversation came where it lies, if a model had a say in it; None for what is erased or
    was edited since: of that text nothing is left to tell."""
    found = Decision.objects.live().about(conversation).exclude(source=Decision.Source.THREAD)
    first = found.select_related("message").first()
    return first if first and has_grounds(first) else None


def has_grounds(decision: Decision) -> bool:
    erased = decision.message.deleted_at or decision.message.revision != decision.revision
    return bool(decision.model_id and decision.guesses and not erased)


def grounds(decision: Decision, user: User) -> Grounds:
    """On what a model's decision rests. The user was found to see the message."""
    (message,) = as_they_waited([str(decision.message_id)])
    facts, label = facts_again(message, decision.facts), decision.guesses[0][0]
    assert decision.model_id, "No model had a say in it."
    model = _reader(decision.model_id)
    return Grounds(
        model=model.row,
        guesses=named(decision.guesses),
        label=names().get(label, label),
        words=_words(model, facts, label) if label in model.classifier.labels else [],
        nearest=_nearest(model, message, facts, user),
    )


def named(guesses: Sequence[tuple[str, float]]) -> list[tuple[str, str]]:
    """Guesses as they are read: [(department, percent)]."""
    known = names()
    return [(known.get(slug, slug), percent(sure)) for slug, sure in guesses]


def names() -> dict[str, str]:
    return dict(Department.objects.values_list("slug", "name")) | {NONE: "Nobody’s"}


@lru_cache(maxsize=2)
def _reader(model: UUID) -> Reader:
    row = RoutingModel.objects.defer("vocabulary").get(pk=model)
    classifier = unpack(row)
    row.artefact = b""
    return Reader(row, classifier)


# Words --------------------------------------------------------------------------------------------------------------
def _words(model: Reader, facts: Facts, label: str) -> list[Word]:
    """The words that carry most: first those without which it would be less sure, then those that it learnt."""
    told = _without_each(model, facts, label)
    learnt = model.classifier.words(said_of(facts), label, most=WORDS)
    known = {each.text.casefold() for each in told}
    return (told + [Word(word) for word, _ in learnt if word.casefold() not in known])[:WORDS]


def _without_each(model: Reader, facts: Facts, label: str) -> list[Word]:
    words = list(dict.fromkeys(each.casefold() for each in _WORD.findall(facts.text[:1500])))[:TOKENS]
    if len(words) < 2:
        return []
    texts = [facts.text, *(_without(facts.text, word) for word in words)]
    sure = _sure(model, [replace(facts, text=text) for text in texts], label)
    lost = sorted(zip(words, sure[0] - sure[1:], strict=True), key=lambda each: -each[1])
    return [Word(word, round(float(less) * 100)) for word, less in lost if less >= LESS][:WORDS]


def _without(text: str, word: str) -> str:
    return _WORD.sub(lambda found: " " if found[0].casefold() == word else found[0], text)


def _sure(model: Reader, facts: Sequence[Facts], label: str) -> "np.ndarray":
    encoder = model.encoder
    vectors = encoder.encode([each.text for each in facts]) if encoder else None
    found = model.classifier.predict([said_of(each) for each in facts], vectors)
    return found[:, list(model.classifier.labels).index(label)]


# Examples -----------------------------------------------------------------------------------------------------------
def _nearest(model: Reader, message: Waiting, facts: Facts, user: User) -> list[Near]:
    """What people decided about the posts nearest to this one that the user may see."""
    import numpy as np

    if (encoder := model.encoder) is None:
        return []
    points = _points(user, encoder.name, but_for=message)
    if not points:
        return []
    known = np.frombuffer(b"".join(points.values()), np.float16).astype(np.float32).reshape(len(points), -1)
    near = known @ encoder.encode([facts.text])[0]
    best = [at for at in np.argsort(-near)[:NEAREST] if near[at] >= NEAR]
    ids = list(points)
    return _told([ids[at] for at in best])


def _points(user: User, encoder: str, *, but_for: Waiting) -> Mapping[str, bytes]:
    """Message → point, of the newest corrections that the user may see; nobody learns from his own."""
    seen = Correction.objects.visible_to(user).filter(message__deleted_at=None)
    newest = seen.exclude(message__conversation=but_for.conversation_id).newest(CORRECTED).values("message")
    found = Embedding.objects.filter(message__in=newest, encoder=encoder).annotate(of=id_of("message_id"))
    return {id: bytes(vector) for id, vector in found.order_by().values_list("of", "vector")}


def _told(ids: Sequence[str]) -> list[Near]:
    found = Correction.objects.filter(message__among=ids).select_related("message__conversation", "belongs")
    by_id = {str(each.message_id): each for each in found}
    return [_near(by_id[id].message, by_id[id].belongs) for id in ids if id in by_id]


def _near(message: Message, belongs: Department | None) -> Near:
    text = " ".join(f"{message.title} {message.text}".split())
    return Near(message.conversation, text[:140], belongs.name if belongs else "Nobody’s")


def read_corrected() -> int:
    """Give points to what people corrected and nobody has read yet, so that it can be found as an example. Returns how
    many."""
    if (now := reader()) is None or now.encoder is None:
        return 0
    unread = Correction.objects.filter(message__deleted_at=None, message__embedding=None).newest(AT_ONCE)
    ids = [str(pk) for pk in unread.values_list("message", flat=True)]
    return len(read(as_they_waited(ids))) if ids else 0
