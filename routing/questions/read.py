"""Questions about what models read out of the text: its mood, and whose business it seems to be."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routing.facts import Facts
from routing.parts import Hit, Question
from routing.questions.values import Slugs, Some, known
from routing.saying import asked, listed, percent, quoted

#: word → (from, to, in words); the mood goes from -1 to 1. The end of the last one belongs to it.
MOODS: Mapping[str, tuple[float, float, str]] = {
    "very_negative": (-1.0, -0.6, "very negative"),
    "negative": (-1.0, -0.2, "negative"),
    "neutral": (-0.2, 0.2, "neutral"),
    "positive": (0.2, 1.0, "positive"),
    "very_positive": (0.6, 1.0, "very positive"),
}


class Mood(Question):
    """How it sounds, as a model reads it. What is very negative is negative too."""

    title = "Mood"
    asks = {"in": ("is", "is not known to be")}
    hint = "Of very_negative, negative, neutral, positive, very_positive; with commas between them"
    needs = "mood"
    field: Literal["mood"] = "mood"
    op: Literal["in"] = "in"
    value: Annotated[Some, AfterValidator(lambda words: known([_plain(each) for each in words], MOODS, "mood"))]

    def holds(self, facts: Facts) -> bool:
        return facts.mood is not None and any(_sounds(facts.mood, word) for word in self.value)

    def _names(self) -> list[str]:
        return [MOODS[word][2] for word in self.value]

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it {'sounds' if yes else 'is not known to sound'} {listed(self._names())}"

    def matches(self, facts: Facts) -> Hit | None:
        found = [MOODS[word][2] for word in self.value if facts.mood is not None and _sounds(facts.mood, word)]
        return Hit((f"it sounds {listed(found, 'and')}",)) if found else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        if facts.mood is None:
            return f"its mood is not known, {asked(self._names())}"
        plainest = next(word for word in ("negative", "neutral", "positive") if _sounds(facts.mood, word))
        return f"it sounds {plainest} ({facts.mood:+.2f} of 1), {asked(self._names())}"


def _plain(word: str) -> str:
    return word.strip().lower().replace(" ", "_")


def _sounds(mood: float, word: str) -> bool:
    least, most, _ = MOODS[word]
    if word == "neutral":
        return least < mood < most
    return least <= mood <= most


def _sure(value: float) -> float:
    return round(value, 4)


class Labels(BaseModel):
    """Departments, or `none`, and how sure the classifier has to be of one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: Slugs
    at_least: Annotated[float, Field(gt=0, le=1), AfterValidator(_sure)] = 0.6


_LABELS = re.compile(r"(?P<labels>.*?)(?:[\s,]*(?:from|at least|≥)?\s*(?P<sure>\d+(?:\.\d+)?)\s*%)?\s*", re.DOTALL)


class Label(Question):
    """What the classifier takes it for, with so much certainty. `none` is what is nobody's."""

    title = "Classifier"
    asks = {"any": ("takes it for", "does not take it for")}
    hint = "Departments’ short names or none, and how sure it has to be: customer-service, pr from 70 %"
    needs = "labels"
    field: Literal["label"] = "label"
    op: Literal["any"] = "any"
    value: Labels

    #: What the classifier says of what belongs to nobody.
    NOBODY: ClassVar = "none"

    @cached_property
    def wanted(self) -> frozenset[str]:
        return frozenset(self.value.labels)

    def _found(self, facts: Facts) -> list[tuple[str, float]]:
        return [(label, p) for label, p in facts.labels if label in self.wanted and p >= self.value.at_least]

    def holds(self, facts: Facts) -> bool:
        return bool(self._found(facts))

    def named(self) -> Mapping[str, list[str]]:
        return {"departments": [each for each in self.value.labels if each != self.NOBODY]}

    def say(self, yes: bool = True, most: int | None = None) -> str:
        names = listed(map(_whose, self.value.labels), most=most)
        return f"the classifier {'takes it' if yes else 'does not take it'} for {names} {self._least()}"

    def _least(self) -> str:
        return f"with at least {self.value.at_least * 100:g} %"

    def matches(self, facts: Facts) -> Hit | None:
        found = [f"the classifier takes it for {_whose(label)} with {percent(p)}" for label, p in self._found(facts)]
        return Hit(tuple(found)) if found else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        if not facts.labels:
            return f"the classifier has not read it, {asked(map(_whose, self.value.labels), most)} {self._least()}"
        given = [(label, p) for label, p in facts.labels if label in self.wanted] or facts.labels[:1]
        took = listed((f"{_whose(label)} with {percent(p)}" for label, p in given), "and")
        return f"the classifier takes it for {took}, {asked(map(_whose, self.value.labels), most)} {self._least()}"

    def typed(self) -> str:
        return f"{', '.join(self.value.labels)} from {self.value.at_least * 100:g} %"

    @classmethod
    def value_of(cls, typed: str) -> Any:
        found = _LABELS.fullmatch(typed.strip())
        said = found.groupdict() if found else {"labels": typed, "sure": None}
        labels = [each.strip() for each in re.split(r"[,\n]", said["labels"]) if each.strip()]
        return {"labels": labels} | ({"at_least": float(said["sure"]) / 100} if said["sure"] else {})


def _whose(label: str) -> str:
    return "nobody’s" if label == Label.NOBODY else quoted([label])[0]
