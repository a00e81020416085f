"""What models read out of messages: mood, and for whom they are. Costly beside rules, so it is done where no rule
placed a message, many at once, outside of any transaction; and kept, so that nothing is read twice.

    look    texts in, scores and points out; takes what was kept before
    keep    scores and points into the database, with the decisions that were made by them
    read    both, for who only wants scores
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction

from departments.away import is_away
from departments.rows import as_json, id_of
from inbox.models import Message
from inbox.waiting import Waiting
from routing.facts import Facts, facts_of_message
from routing.languages import languages_of
from routing.learning.live import live_model
from routing.models import Embedding, MessageScores, RoutingModel
from routing.scoring import Scores
from routing.scoring.said import Said

if TYPE_CHECKING:
    import numpy as np

    from routing.scoring.classifier import Classifier
    from routing.scoring.encoder import TextEncoder

#: Probabilities are rounded before anybody decides by them, so that what is kept is what was decided by.
DIGITS = 4

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read out of one revision of a message. `vector` is its point as bytes, empty where there is none."""

    message: str
    revision: int
    scores: Scores
    encoder: str = ""
    vector: bytes = b""


@dataclass(frozen=True)
class Reader:
    """The model in force, with the encoder that it learnt with."""

    row: RoutingModel
    classifier: "Classifier"

    @property
    def id(self) -> str:
        return str(self.row.pk)

    def anew(self) -> "Reader":
        """The same model as people have set it since; this one where another is in force by now."""
        now = reader()
        return now if now and now.row.pk == self.row.pk else self

    @property
    def thresholds(self) -> Mapping[str, float]:
        return self.row.thresholds

    @property
    def encoder(self) -> "TextEncoder | None":
        """None where it learnt without one, or with another than this house has now: then words alone decide."""
        from routing.scoring.encoder import encoder

        found = encoder()
        return found if found and found.name == self.row.encoder else None

    # Messages -------------------------------------------------------------------------------------------------
    def look(
        self, messages: Sequence[Waiting], facts: Mapping[str, Facts], languages: Mapping[str, str]
    ) -> dict[str, Reading]:
        """Each message's id → what is read out of it. What can not be read has a language and nothing else; so it is
        still decided by rules."""
        try:
            kept = _scores({each.id: each.revision for each in messages}, self.row)
            new = [each for each in messages if each.id not in kept]
            return kept | self._look(new, [facts[each.id].in_language(languages[each.id]) for each in new])
        except Exception as error:
            if is_away(error):
                raise
            logger.exception("%s messages could not be read; rules alone decide.", len(messages))
            return {each.id: Reading(each.id, each.revision, Scores(languages[each.id])) for each in messages}

    def _look(self, messages: Sequence[Waiting], facts: Sequence[Facts]) -> dict[str, Reading]:
        encoder = self.encoder
        vectors = self._points(messages, facts, encoder) if encoder else None
        scores = self._scores(facts, vectors, encoder)
        packed = [b""] * len(messages) if vectors is None else [_packed(each) for each in vectors]
        name = encoder.name if encoder else ""
        return {
            each.id: Reading(each.id, each.revision, said, name, vector)
            for each, said, vector in zip(messages, scores, packed, strict=True)
        }

    def _points(self, messages: Sequence[Waiting], facts: Sequence[Facts], encoder: "TextEncoder") -> "np.ndarray":
        """Where each text lies: as it was kept, else as it is encoded now."""
        import numpy as np

        kept = _vectors({each.id: each.revision for each in messages}, encoder.name)
        new = [at for at, each in enumerate(messages) if each.id not in kept]
        found = np.zeros((len(messages), encoder.size), np.float32)
        for at, each in enumerate(messages):
            if each.id in kept:
                found[at] = np.frombuffer(kept[each.id], np.float16)
        if new:
            # As it will be read again.
            found[new] = encoder.encode([facts[at].text for at in new]).astype(np.float16)
        return found

    # Texts ----------------------------------------------------------------------------------------------------
    def of_facts(self, facts: Sequence[Facts]) -> list[Scores]:
        """What is read out of posts that are not stored. Their language is known, or nobody can tell it."""
        import numpy as np

        encoder = self.encoder
        points = encoder.encode([each.text for each in facts]).astype(np.float16) if encoder else None
        return self._scores(facts, None if points is None else points.astype(np.float32), encoder)

    def _scores(
        self, facts: Sequence[Facts], vectors: "np.ndarray | None", encoder: "TextEncoder | None"
    ) -> list[Scores]:
        if not facts:
            return []
        from routing.scoring.sentiment import moods_by_words, moods_of

        found = self.classifier.predict([said_of(each) for each in facts], vectors)
        by_points = moods_of(vectors, encoder.name) if vectors is not None and encoder else None
        moods: Sequence[float | None] = by_points or moods_by_words([each.text for each in facts])
        labels = self.classifier.labels
        return [
            Scores(each.lang or "und", mood, _best_first(labels, row), self.id)
            for each, mood, row in zip(facts, moods, found, strict=True)
        ]


def reader() -> Reader | None:
    """Who reads now; None where no model is in force, or none is wanted."""
    if not settings.LEARNED_ROUTING:
        return None
    found = live_model()
    return Reader(*found) if found else None


def said_of(facts: Facts) -> Said:
    """A post as the classifier sees it."""
    return Said(facts.text, facts.network, facts.kind, facts.lang, facts.rating, facts.is_reply_to_us)


def _best_first(labels: Sequence[str], row: "np.ndarray") -> tuple[tuple[str, float], ...]:
    found = [(label, round(float(p), DIGITS)) for label, p in zip(labels, row, strict=True)]
    return tuple(sorted(found, key=lambda each: -each[1]))


def _packed(vector: "np.ndarray") -> bytes:
    import numpy as np

    return vector.astype(np.float16).tobytes()


def read(messages: Sequence[Waiting]) -> dict[str, Scores]:
    """Message's id → its scores by the model in force, kept for the next who asks; nothing where there is no model."""
    if (found := reader()) is None or not messages:
        return {}
    facts = {each.id: facts_of_message(each, is_reply_to_us=each.answers_us) for each in messages}
    readings = found.look(messages, facts, languages_of(messages, facts))
    with transaction.atomic():
        keep(_as_they_are(readings))
    return {id: each.scores for id, each in readings.items()}


def _as_they_are(readings: Mapping[str, Reading]) -> list[Reading]:
    """Without those whose text was erased or edited meanwhile; of the others it can not be before they are kept."""
    now = Message.objects.filter(pk__among=readings, deleted_at=None).select_for_update(no_key=True).order_by("pk")
    there = dict(now.annotate(named=id_of("pk")).values_list("named", "revision"))
    return [each for id, each in readings.items() if there.get(id) == each.revision]


# Kept -----------------------------------------------------------------------------------------------------------
def keep(readings: Iterable[Reading]) -> None:
    """Keep what was read and is not kept yet, in a statement for points and one for scores. The messages are under
    lock, so that none of them is erased meanwhile."""
    new = [each for each in readings if each.scores.model]
    points = [
        {"message_id": each.message, "revision": each.revision, "encoder": each.encoder, "vector": each.vector.hex()}
        for each in new
        if each.vector
    ]
    scores = [
        {
            "message_id": each.message,
            "revision": each.revision,
            "model_id": each.scores.model,
            "language": each.scores.language,
            "mood": each.scores.mood,
            "labels": each.scores.labels,
        }
        for each in new
    ]
    with connection.cursor() as cursor:
        if points:
            cursor.execute(_POINTS, [as_json(points)])
        if scores:
            cursor.execute(_SCORES, [as_json(scores)])


#: The point of the newest revision is the one that is kept.
_POINTS = """
INSERT INTO routing_embedding (message_id, revision, encoder, vector)
SELECT message_id, revision, encoder, decode(vector, 'hex')
FROM json_to_recordset(%s) AS given(message_id uuid, revision integer, encoder text, vector text)
ON CONFLICT (message_id) DO UPDATE
SET revision = excluded.revision, encoder = excluded.encoder, vector = excluded.vector
WHERE (routing_embedding.revision, routing_embedding.encoder) <> (excluded.revision, excluded.encoder)
"""
_SCORES = """
INSERT INTO routing_messagescores (message_id, revision, model_id, language, mood, labels, at)
SELECT message_id, revision, model_id, language, mood, labels, now()
FROM json_to_recordset(%s) AS given(
    message_id uuid, revision integer, model_id uuid, language text, mood double precision, labels jsonb)
ON CONFLICT DO NOTHING
"""


def _scores(revisions: Mapping[str, int], model: RoutingModel) -> dict[str, Reading]:
    asked = MessageScores.objects.filter(message__among=revisions, model=model).order_by()
    rows = asked.annotate(of=id_of("message_id")).values_list("of", "revision", "language", "mood", "labels")
    return {
        id: Reading(id, revision, Scores(language, mood, tuple((slug, p) for slug, p in labels), str(model.pk)))
        for id, revision, language, mood, labels in rows
        if revisions[id] == revision
    }


def _vectors(revisions: Mapping[str, int], encoder: str) -> dict[str, bytes]:
    asked = Embedding.objects.filter(message__among=revisions, encoder=encoder).annotate(of=id_of("message_id"))
    rows = asked.order_by().values_list("of", "revision", "vector")
    return {id: bytes(vector) for id, revision, vector in rows if revisions[id] == revision}
