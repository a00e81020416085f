"""A text as the classifier sees it, and an example to learn from."""

from dataclasses import dataclass

#: The label of what belongs to nobody.
NONE = "none"


@dataclass(frozen=True, slots=True)
class Said:
    """What a classifier may look at. Nothing about who wrote it."""

    text: str
    network: str = ""
    kind: str = "mention"
    lang: str = ""
    rating: int | None = None
    answers_us: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the department (slug) where it belongs, or `none`."""

    said: Said
    label: str
    weight: float = 1.0
