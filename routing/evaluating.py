"""How well a house routes labelled posts before anybody taught it: starter rules first, then the model, as live
routing asks them. Nothing is read from the database, nothing is stored."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from routing.deciding import TRIAGE, Book, Named, RuleSets, decide
from routing.facts import Facts
from routing.scoring import measuring
from routing.scoring.language import UNKNOWN, language_of
from routing.scoring.measuring import Row
from routing.scoring.said import NONE, Example, Said

#: The departments of the presets, in the order of tables.
DEPARTMENTS = ("customer-service", "pr", "marketing", "hr", "rnd")
LABELS = (*DEPARTMENTS, NONE)
#: What a rule places counts as this sure.
BY_RULE = 0.9
_REVIEW = "review"


class Unreadable(ValueError):
    """A file that is not what this command reads; the message says where and why."""


@dataclass(frozen=True)
class Guess:
    """The best label of a row, how sure, and whether a rule said so."""

    label: str
    sure: float
    by_rule: bool = False


def read(file: Path) -> list[Row]:
    """The rows of a JSON Lines file with `text`, `network`, `label`, perhaps `alt` and `lang`. Raises Unreadable."""
    return [_row(file, number, line) for number, line in enumerate(file.read_text().splitlines(), 1) if line.strip()]


def _row(file: Path, number: int, line: str) -> Row:
    try:
        raw = json.loads(line)
        label, alt = _label(raw["label"]), _label(raw.get("alt") or "")
        said = said_of(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{file}, line {number}: {error!r}") from error
    if label not in LABELS or alt and alt not in LABELS:
        raise Unreadable(f"{file}, line {number}: there is no label “{raw['label']}” or “{raw.get('alt')}”.")
    return Row(said, label, alt)


def _label(name: str) -> str:
    return name.replace("_", "-")


def said_of(raw: Mapping[str, Any]) -> Said:
    """A row as the classifier sees it. A network of reviews says of what kind its posts are."""
    network = raw.get("network") or ""
    kind = raw.get("kind") or (_REVIEW if _REVIEW in network else "mention")
    lang = raw.get("lang") or language_of(raw["text"])
    return Said(raw["text"], network, kind, "" if lang == UNKNOWN else lang, raw.get("rating"))


def drawn(rows: Sequence[Row], limit: int | None, seed: int) -> list[Example]:
    """The first `limit` of the rows, shuffled by the seed, as what people taught."""
    shuffled = random.Random(seed).sample(list(rows), len(rows))
    return [Example(row.said, row.label) for row in shuffled[:limit]]


def starter_rules() -> RuleSets:
    """The rules that every house begins with."""
    from routing.starter import fitting

    named = {slug: Named(slug) for slug in (*DEPARTMENTS, TRIAGE)}
    return RuleSets(Book("starter rules", 1, fitting(set(DEPARTMENTS))), named)


def judge(rows: Sequence[Row], lessons: Sequence[Example], *, seed: int = 0, rules: bool = True) -> list[Guess]:
    """What is guessed of each row by a model of the seeds and these lessons, the starter rules asked first."""
    from routing.scoring.encoder import encoder
    from routing.scoring.training import seeds, train

    meaning = encoder()
    classifier = train([*seeds(), *lessons], encoder=meaning, seed=seed)
    vectors = meaning.encode([row.said.text for row in rows]) if meaning else None
    return guesses(classifier, rows, vectors, starter_rules() if rules else None)


def figures(found: Sequence[Guess], rows: Sequence[Row]) -> dict[str, float]:
    """`n accuracy accuracy_with_alt macro_f1 coverage_at_90 ece`."""
    return measuring.figures([each.label for each in found], [each.sure for each in found], rows)


def guesses(classifier, rows: Sequence[Row], vectors, rule_sets: RuleSets | None) -> list[Guess]:
    """What is guessed of each row: where a rule places it, else what the model thinks likeliest."""
    found = classifier.predict([row.said for row in rows], vectors)
    by_model = [Guess(classifier.labels[each.argmax()], float(each.max())) for each in found]
    if rule_sets is None:
        return by_model
    by_rule = [_by_rule(row.said, rule_sets) for row in rows]
    return [rule or model for rule, model in zip(by_rule, by_model, strict=True)]


def _by_rule(said: Said, rule_sets: RuleSets) -> Guess | None:
    verdict = decide(_facts(said), rule_sets)
    if verdict.source != "rule" and not verdict.probably_nothing:
        return None
    label = NONE if verdict.department == TRIAGE else verdict.department
    return Guess(label, BY_RULE, by_rule=True)


def _facts(said: Said) -> Facts:
    return Facts(
        text=said.text,
        network=said.network,
        channel="",
        kind=said.kind,
        created_at=datetime(2000, 1, 1, tzinfo=UTC),
        lang=said.lang,
        rating=said.rating,
    )
