"""What models read out of a text. Pure: text in, scores out; nothing here knows a database or a department."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scores:
    """What is known of a text by reading it. `language` is a code, or `und` where it could not be told; `mood` goes
    from -1 (angry) to 1 (glad), None where it could not be told. `labels` are departments' slugs, or `none` for what is
    nobody's, each with its calibrated probability, the best first; empty where no model `model` read it."""

    language: str = "und"
    mood: float | None = None
    labels: tuple[tuple[str, float], ...] = ()
    model: str = ""


#: For who decides without having read the text.
UNREAD = Scores()
