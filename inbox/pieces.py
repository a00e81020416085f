"""Text in pieces for the page: what a rule found in it, what an edit changed, what a search hit. Pieces are plain text
with a mark beside it; templates escape them like any other text, so no markup is ever made from what people wrote."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from inbox.words import RUN, plain

#: Beyond that many words a comparison takes longer than it helps: old and new then stand whole.
COMPARABLE = 500
TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
WORD = re.compile(r"\w+")


def marked(text: str, spans: Iterable[Sequence[int]]) -> list[dict]:
    """`[{"text", "hit"}]`: the text cut at these spans. Spans may overlap or reach beyond the text."""
    pieces, at = [], 0
    for start, end in sorted((max(0, start), min(len(text), end)) for start, end in spans):
        start = max(start, at)
        if end <= start:
            continue
        pieces += [{"text": text[at:start], "hit": False}, {"text": text[start:end], "hit": True}]
        at = end
    pieces.append({"text": text[at:], "hit": False})
    return [piece for piece in pieces if piece["text"]]


def changed(old: str, new: str) -> list[dict]:
    """`[{"text", "change"}]` word by word: `del` stood only in the old text, `ins` stands only in the new one."""
    before, after = TOKEN.findall(old), TOKEN.findall(new)
    if len(before) > COMPARABLE or len(after) > COMPARABLE:
        return [{"text": old, "change": "del"}, {"text": new, "change": "ins"}]
    pieces: list[dict] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append({"text": "".join(before[a:b]), "change": ""})
            continue
        pieces += [{"text": "".join(before[a:b]), "change": "del"}, {"text": "".join(after[c:d]), "change": "ins"}]
    return [piece for piece in pieces if piece["text"]]


def needles(asked: str) -> set[str]:
    """The words of a query that a hit holds: not the operators, and not what follows a minus."""
    kept = re.sub(r'(?<!\S)-("[^"]*"?|\S+)', " ", asked)
    return {plain(word) for word in WORD.findall(kept) if word.lower() != "or"}


def snippet(text: str, asked: str, *, before: int = 60, size: int = 220) -> list[dict]:
    """A stretch of the text around the first word that was asked for, with every such word marked."""
    text = " ".join(text[:30_000].split())
    spans = find(text, needles(asked))
    start = max(0, spans[0][0] - before) if spans else 0
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = start + size
    shown = text[start:end]
    pieces = marked(shown, [(a - start, b - start) for a, b in spans if a < end])
    lead = [{"text": "… ", "hit": False}] if start else []
    return lead + pieces + ([{"text": " …", "hit": False}] if end < len(text) else [])


def find(text: str, words: set[str]) -> list[tuple[int, int]]:
    """Where these plain words stand in the text: whole words; within unspaced scripts, anywhere."""
    found = [match.span() for match in WORD.finditer(text) if plain(match[0]) in words]
    for word in words:
        if RUN.search(word):
            found += [match.span() for match in re.finditer(re.escape(word), text)]
    return sorted(found)
