"""A rule's condition answered from its JSON alone, term by term, as slow as it is obvious. It shares no code with the
engine: what both say has to be the same."""

import re
import unicodedata
from datetime import time
from functools import lru_cache
from zoneinfo import ZoneInfo

#: Scripts that put no blanks between words, or particles that cling to them.
WITHOUT_BORDERS = [
    (0x0E01, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF),
    (0x3130, 0x318F), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
]  # fmt: skip
GONE = "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff"
APOSTROPHES = "’‘ʼ´`"
MOODS = {"very_negative": (-1, -0.6), "negative": (-1, -0.2), "positive": (0.2, 1), "very_positive": (0.6, 1)}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@lru_cache(100_000)
def plain(text):
    """As it is read, in its own spelling."""
    kept = "".join("'" if char in APOSTROPHES else char for char in text if char not in GONE)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", kept)).strip()


@lru_cache(100_000)
def folded(text):
    return plain(text).casefold()


def in_a_word(char):
    if any(first <= ord(char) <= last for first, last in WITHOUT_BORDERS):
        return False
    return char.isalnum() or char == "_" or (unicodedata.category(char).startswith("M") and ord(char) > 0x2FF)


def stands(term, text, start):
    end = start + len(term)
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if before == "@" and term[0] not in "@#":
        return False
    if before and in_a_word(before) and (term[0] in "@#" or in_a_word(term[0])):
        return False
    return not (after and in_a_word(after) and in_a_word(term[-1]))


def holds_term(text, term, only_first=False):
    text, term = folded(text), folded(term)
    start = text.find(term)
    while start >= 0:
        if stands(term, text, start):
            return start == 0 or not only_first
        start = -1 if only_first else text.find(term, start + 1)
    return False


def marked(text, signs):
    """Words behind one of these signs."""
    return {folded(word) for word in re.findall(rf"(?<!\w)[{signs}](\w+)", text)}


def number(known, op, asked):
    if known is None:
        return False
    if op == "between":
        return asked[0] <= known <= asked[1]
    return {"at_least": known >= asked, "at_most": known <= asked, "below": known < asked}[op]


def fits(tree, post):
    """Whether the condition fits the post."""
    if "all" in tree:
        return all(fits(each, post) for each in tree["all"])
    if "any" in tree:
        return any(fits(each, post) for each in tree["any"])
    if "not" in tree:
        return not fits(tree["not"], post)
    asked = tree.get("value")
    return QUESTIONS[tree["field"]](post, tree.get("op"), [asked] if isinstance(asked, str) else asked)


def text(post, op, asked):
    if op == "regex":
        return bool(re.search(asked[0], plain(post.text), re.IGNORECASE))
    found = [holds_term(post.text, term, op == "starts") for term in asked]
    return all(found) if op == "all" else any(found)


def author(post, op, asked):
    names = {folded(name.lstrip("@")) for name in asked}
    return folded(post.author_handle.lstrip("@")) in names or folded(post.author_id) in names


def lang(post, op, asked):
    return post.lang.lower() in asked or post.lang.lower().split("-")[0] in asked


def trait(post, op, asked):
    true = {
        "answers_us": post.is_reply_to_us,
        "link": bool(re.search(r"https?://\S", post.text)),
        "media": post.has_media,
        "question": "?" in folded(post.text) or "؟" in post.text,
        "verified": post.verified,
    }
    return any(true[each] for each in asked)


def mood(post, op, asked):
    if post.mood is None:
        return False
    return any(
        -0.2 < post.mood < 0.2 if word == "neutral" else MOODS[word][0] <= post.mood <= MOODS[word][1] for word in asked
    )


def label(post, op, asked):
    return any(name in asked["labels"] and p >= asked.get("at_least", 0.6) for name, p in post.labels)


def spell(post, op, asked):
    there = post.created_at.astimezone(ZoneInfo(asked.get("zone", "UTC")))
    begins, ends = (time.fromisoformat(asked.get(name, "00:00")) for name in ("from", "to"))
    days = asked.get("days", DAYS)
    today, yesterday = DAYS[there.weekday()] in days, DAYS[there.weekday() - 1] in days
    if begins < ends:
        return today and begins <= there.time() < ends
    return (today and there.time() >= begins) or (yesterday and there.time() < ends)


QUESTIONS = {
    "text": text,
    "hashtag": lambda post, op, asked: bool(marked(post.text, "#＃") & {folded(tag.lstrip("#＃")) for tag in asked}),
    "network": lambda post, op, asked: post.network in asked,
    "kind": lambda post, op, asked: post.kind in asked,
    "channel": lambda post, op, asked: post.channel in asked,
    "visibility": lambda post, op, asked: post.visibility in asked,
    "author": author,
    "lang": lang,
    "trait": trait,
    "followers": lambda post, op, asked: number(post.followers, op, asked),
    "rating": lambda post, op, asked: number(post.rating, op, asked),
    "author_messages": lambda post, op, asked: number(post.author_messages, op, asked),
    "similar": lambda post, op, asked: number(post.similar, op, asked),
    "author_list": lambda post, op, asked: any(each in post.author_lists for each in asked),
    "campaign": lambda post, op, asked: any(each in post.campaigns for each in asked),
    "hours": lambda post, op, asked: any(each in post.open_now for each in asked),
    "mood": mood,
    "label": label,
    "time": spell,
    "post": lambda post, op, asked: True,
}
