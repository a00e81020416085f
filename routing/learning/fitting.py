"""Training, in a process of its own (`manage.py train_routing`): what trains takes memory that the worker never gets
back."""

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zlib import crc32

from django.db import connection, transaction
from django.utils import timezone

from departments.audit import record
from routing.learning import choosing, first, lessons, measuring, vocabulary
from routing.learning.harvesting import harvest
from routing.learning.lessons import Lesson
from routing.learning.live import unpack
from routing.learning.measuring import Judged
from routing.learning.remembering import Remembering, remembering
from routing.models import Correction, HeldOut, RoutingModel
from routing.scoring.said import Example

if TYPE_CHECKING:
    from routing.scoring.classifier import Classifier

logger = logging.getLogger(__name__)

#: Of all who want to train, whoever holds this lock does.
LOCK = 5_208_771
#: A model is held to the newest corrections, each by a training that has not seen it.
MOST_HELD, FOLDS = 2000, 5
#: Of a correction so many guesses are kept.
GUESSES = 3
#: Of words in fewer messages that are not confidential nothing is kept beside a model.
SELDOM = 5


@dataclass(frozen=True)
class School:
    """All that is learnt from."""

    lessons: Sequence[Lesson]
    examples: Sequence[Example]
    seeds: Sequence[Example]
    descriptions: Mapping[str, str]
    encoder: Remembering | None

    def train(self, lessons: Sequence[Lesson], like: "Classifier | None" = None) -> "Classifier":
        """A classifier that has learnt these corrections, and everything else; as sure as `like` of what it says."""
        from routing.scoring.training import train

        taught = [*self.seeds, *self.examples, *(each.example for each in lessons)]
        return train(taught, encoder=self.encoder, descriptions=self.descriptions, like=like)

    def graduate(self) -> "Classifier":
        """What has learnt everything; before anybody taught anything, the one that this installation keeps."""
        if self.lessons or self.examples:
            return self.train(self.lessons)
        of = f"{self.digest} {self.encoder.name if self.encoder else ''}"
        return first.kept_or(lambda: self.train([]), of)

    @property
    def digest(self) -> str:
        """The same for two trainings that learn the same."""
        return lessons.digest(self.lessons, [*self.examples, *self.seeds], self.descriptions)

    def ask(self, classifier: "Classifier", lessons: Sequence[Lesson]) -> dict[UUID, Judged]:
        """What the classifier says of these messages."""
        if not lessons:
            return {}
        said = [each.said for each in lessons]
        vectors = self.encoder.encode([each.text for each in said]) if self.encoder else None
        found = classifier.predict(said, vectors)
        names = list(classifier.labels)
        return {
            lesson.message: Judged(lesson.label, _best(names, row)) for lesson, row in zip(lessons, found, strict=True)
        }


def refit(why: str = "") -> RoutingModel | None:
    """A new model of everything that people taught, put live when it is not worse than the live one on their own
    corrections; both are kept. None when another process is at it."""
    with _alone() as alone:
        if not alone:
            logger.info("Another process is training a model already.")
            return None
        harvest()
        return _refit(why)


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _refit(why: str) -> RoutingModel:
    begun, read_at = time.monotonic(), timezone.now()
    school = go_to_school()
    classifier = school.graduate()
    held = _held_out(school, classifier)
    model = _kept(school, classifier, why, read_at)
    model.metrics = _metrics(school, held, model.thresholds)
    model.metrics |= {"labels": list(classifier.labels), "seconds": round(time.monotonic() - begun, 1)}
    return _take_stock(school, model, held)


def go_to_school() -> School:
    """Everything that can be learnt from now. Seeds of departments that this house has not are left out: what is theirs
    elsewhere may be anybody's here."""
    from routing.scoring.training import seeds

    known, own = lessons.labels(), [each for each in lessons.corrections() if each.said.text.strip()]
    encoder = remembering((each.message, each.said.text) for each in own)
    shipped = [each for each in seeds() if each.label in known or each.label == lessons.NONE]
    return School(own, lessons.examples(), shipped, lessons.descriptions(), encoder)


def _held_out(school: School, whole: "Classifier") -> dict[UUID, Judged]:
    """What is said of the newest corrections by trainings that have not seen them. A message falls into the same part
    every time, so that two models are held to the same."""
    newest = school.lessons[:MOST_HELD]
    found: dict[UUID, Judged] = {}
    for fold in range(FOLDS):
        out = [each for each in newest if _fold(each.message) == fold]
        if out:
            taught = [each for each in school.lessons if _fold(each.message) != fold]
            found |= school.ask(school.train(taught, like=whole), out)
    return found


def _fold(message: UUID) -> int:
    return crc32(message.bytes) % FOLDS


def _best(labels: Sequence[str], probabilities) -> tuple[tuple[str, float], ...]:
    pairs = sorted(zip(labels, map(float, probabilities), strict=True), key=lambda pair: -pair[1])
    return tuple((label, round(p, 4)) for label, p in pairs[:GUESSES])


def _kept(school: School, classifier: "Classifier", why: str, read_at: datetime) -> RoutingModel:
    """The candidate as a row that is not stored yet."""
    packed = classifier.to_bytes()
    texts = [*(each.said.text for each in school.lessons), *(each.said.text for each in school.examples)]
    texts += [each.said.text for each in school.seeds]
    return RoutingModel(
        artefact=packed,
        sha256=hashlib.sha256(packed).hexdigest(),
        encoder=school.encoder.name if school.encoder else "",
        thresholds={label: round(float(value), 4) for label, value in classifier.thresholds.items()},
        corrections=len(school.lessons),
        trained_on=school.digest,
        vocabulary=vocabulary.packed(texts),
        why=why[:300],
        created_at=read_at,
    )


def _metrics(school: School, held: Mapping[UUID, Judged], thresholds: Mapping[str, float]) -> dict[str, Any]:
    """`all` decides; `open`, which counts nothing confidential, is what is shown."""
    asked = {each.message: each for each in school.lessons}
    ours = {message: row for message, row in held.items() if asked[message].open}
    words = [(row, vocabulary.words_of(asked[message].said.text)) for message, row in ours.items()]
    mistaken = measuring.mistaken_words(words, seldom=SELDOM)
    return {
        "all": measuring.summary(list(held.values()), thresholds),
        "open": measuring.summary(list(ours.values()), thresholds),
        "words": [[each.word, each.wrong, each.n] for each in mistaken],
        "learnt": {
            "seeds": len(school.seeds),
            "examples": len(school.examples),
            "corrections": sum(each.open for each in school.lessons),
        },
    }


# Against the live one -----------------------------------------------------------------------------------------------
def _take_stock(school: School, model: RoutingModel, held: Mapping[UUID, Judged]) -> RoutingModel:
    """Store the candidate, and put it live when it is not worse."""
    live = RoutingModel.objects.live().first()
    pairs = _compared(school, live, held) if live else []
    ours, theirs = [mine for mine, _ in pairs], [other for _, other in pairs]
    worse = bool(pairs) and measuring.is_worse(ours, theirs)
    if live:
        model.metrics["compared"] = _comparison(live, ours, theirs, worse)
    with transaction.atomic():
        newest = RoutingModel.objects.order_by("-number").values_list("number", flat=True).first() or 0
        model.number = newest + 1
        model.save(force_insert=True)
        HeldOut.objects.bulk_create(
            [HeldOut(model=model, message_id=pk, right=row.right, guesses=row.guesses) for pk, row in held.items()],
            batch_size=500,
        )
        if not worse:
            choosing.put_live(model)
            record("model_went_live", model, by="system", number=model.number)
        choosing.forget_old()
    return model


def _compared(school: School, live: RoutingModel, held: Mapping[UUID, Judged]) -> list[tuple[Judged, Judged]]:
    """Both models' guesses on the messages that neither has learnt from: what was kept of the live one when it was
    made, and what it says of those that were corrected since."""
    kept = {
        each.message_id: tuple((label, p) for label, p in each.guesses)
        for each in HeldOut.objects.filter(model=live, message__among=held)
    }
    new = set(Correction.objects.since(live.created_at).values_list("message", flat=True)) - kept.keys()
    unseen = [each for each in school.lessons if each.message in held and each.message in new]
    try:
        said = school.ask(unpack(live), unseen)
    except Exception:
        logger.exception("%s can not be read; the new model takes its place.", live)
        return []
    kept |= {message: row.guesses for message, row in said.items()}
    return [(row, Judged(row.right, kept[message])) for message, row in held.items() if message in kept]


def _comparison(live: RoutingModel, ours: list[Judged], theirs: list[Judged], worse: bool) -> dict[str, Any]:
    return {
        "with": live.number,
        "accuracy": round(measuring.accuracy(ours), 4),
        "accuracy_of_live": round(measuring.accuracy(theirs), 4),
        "macro_f1": round(measuring.macro_f1(ours), 4),
        "macro_f1_of_live": round(measuring.macro_f1(theirs), 4),
        "by": "accuracy" if len(ours) < measuring.FEW else "macro_f1",
        "worse": worse,
    }
