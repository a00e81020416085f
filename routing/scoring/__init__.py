"""What models read out of a text. Pure: text in, scores out; nothing here knows a database or a department."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scores:
    """What is known of a text by reading it. `language` is a code, or `und` where it could not be told."""

    language: str = "und"


#: For who decides without having read the text.
UNREAD = Scores()
