"""A book made ready says of every post what an interpreter of its JSON says, and nobody can make it slow."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import regexes
from routing.compiling import Book
from routing.conditions import Refused, as_json, read_condition
from routing.facts import READ
from routing.rules import read_rule
from tests.bench.deciding import VOCABULARY
from tests.bench.matching import Maker
from tests.routing import naive
from tests.routing.posts import KNOWN, facts, rule, says

# Any rules, any posts -----------------------------------------------------------------------------------------------
#: Few letters, so that terms are found: with case, marks, ligatures, signs, scripts without borders, Korean that melts.
LETTERS = "abAB1_éÉe\u0301’'#@.! \nß包裹ﬁかｶﾞ한\u1112\u1161กำ😡ी\u00ad"
EXPRESSIONS = [
    "a+b",
    "^.{2}",
    "b$",
    "[ab1]{3}",
    "(a|é)!",
    "a.b",
    "包",
    "'",
    r"\d",
    "x*",
    "#a",
    "(ab|ba){2}",
    "ß",
    "😡+",
]


class Dice(random.Random):
    """Throws conditions and posts."""

    def text(self, least, most):
        return "".join(self.choices(LETTERS, k=self.randint(least, most)))

    def terms(self):
        return [term for _ in range(self.randint(1, 4)) if naive.folded(term := self.text(1, 4))] or ["a"]

    def some(self, *known):
        return self.sample(known, self.randint(1, min(2, len(known))))

    def question(self):
        pair = sorted((self.randint(0, 3), self.randint(0, 3)))
        asked = [
            ("text", self.choice(["any", "all", "starts"]), self.terms()),
            ("text", self.choice(["any", "all", "starts"]), self.terms()),
            ("text", "regex", self.choice(EXPRESSIONS)),
            ("hashtag", "any", self.some("a", "b", "ab", "é", "包")),
            ("author", "in", self.some("a", "b", "é")),
            ("network", "in", self.some("x", "reddit")),
            ("kind", "in", self.some("dm", "review")),
            ("lang", "in", self.some("de", "pt", "pt-br")),
            ("trait", "any", self.some("link", "question", "verified", "answers_us", "media")),
            (self.choice(["followers", "similar"]), self.choice(["at_least", "below"]), self.randint(0, 3)),
            (self.choice(["followers", "author_messages"]), "between", pair),
            ("rating", self.choice(["at_least", "at_most"]), self.randint(0, 3)),
            ("author_list", "any", self.some("press", "vip")),
            ("campaign", "any", ["summer"]),
            ("hours", "within", self.some("pr", "hr")),
            ("mood", "in", self.some("very_negative", "negative", "neutral", "positive")),
            ("label", "any", {"labels": self.some("pr", "none"), "at_least": 0.5}),
            ("time", "within", {"days": ["mon", "fri"], "from": "22:00", "to": "06:00"}),
            ("post", "any", None),
        ]
        field, op, value = self.choice(asked)
        return {"field": field, "op": op, "value": value}

    def tree(self, depth=1):
        kind = self.choices(["question", "all", "any", "not"], [3, 2, 1, 1])[0] if depth < 4 else "question"
        if kind == "question":
            return self.question()
        parts = [self.tree(depth + 1) for _ in range(self.randint(1, 3))]
        return {"not": parts[0]} if kind == "not" else {kind: parts}

    def post(self):
        text = self.text(0, 25)
        return facts(
            self.choice([text, text, f"{text} https://a.example?"]),
            network=self.choice(["x", "reddit", "feed"]),
            kind=self.choice(["mention", "dm", "review"]),
            lang=self.choice(["", "de", "pt-BR", "pt"]),
            author_handle=self.choice(["", "@A", "b", "É"]),
            created_at=datetime(2026, 5, 1, tzinfo=UTC) + timedelta(minutes=self.randrange(10_080)),
            **{name: self.choice([None, 0, 1, 2, 3]) for name in ("followers", "rating", "similar", "author_messages")},
            verified=self.random() < 0.2,
            is_reply_to_us=self.random() < 0.2,
            mood=self.choice([None, -0.9, -0.2, 0.0, 0.5]),
            labels=self.choice([(), (("pr", 0.5), ("none", 0.3)), (("none", 0.9),)]),
            author_lists=frozenset(self.choice([[], ["vip"]])),
            campaigns=frozenset(self.choice([[], ["summer"]])),
            open_now=frozenset(self.choice([[], ["hr", "rnd"]])),
        )


@given(st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_a_book_says_of_any_post_what_the_interpreter_says(seed):
    dice = Dice(seed)
    trees, posts = [dice.tree() for _ in range(15)], [dice.post() for _ in range(8)]
    rules = [rule(f"R{number}", tree, tags=["t"]) for number, tree in enumerate(trees)]
    book = Book("v", 1, rules)
    for post in posts:
        fitting = list(book.fitting(post))
        assert fitting == [each for each, tree in zip(rules, trees, strict=True) if naive.fits(tree, post)]
        for each in rules:
            assert each.when.holds(post) == (each.when.matches(post) is not None) == (each in fitting)
            assert each in fitting or each.when.missing(post)
    assert all(read_condition(as_json(each.when)) == each.when for each in rules)


def test_so_it_does_of_many_rules_and_posts_as_people_write_them():
    dice = random.Random(5)
    said = ["order", "no", "12345", "not", "ever", "flight", "LH400", "€5", "2", "days", "#late", "@bag", "!!!"]
    texts = [" ".join(dice.choices([*said, *VOCABULARY[:60]], k=12)) for _ in range(60)]
    raw = Maker(texts, seldom=1).rules(100)
    book = Book("v", 1, raw)
    assert not book.broken
    for text in texts:
        post = facts(text, followers=900, lang="en", channel="brand-1")
        assert [each.uid for each in book.fitting(post)] == [
            each["uid"] for each in raw if naive.fits(each["when"], post)
        ]


def test_terms_that_end_in_one_another_are_all_found():
    book = Book("v", 1, [rule("Loud", says(*("!" * many for many in range(1, 40))), tags=["t"])])
    (match,) = book.fitting(facts("ab" + "!" * 20))
    assert match.when.matches(facts("ab!!!")).reasons == ("the text contains “!”, “!!” and “!!!”",)


def test_it_tells_what_has_to_be_looked_up_for_the_rules_that_are_on():
    similar = {"field": "similar", "op": "at_least", "value": 3}
    mood = {"field": "mood", "value": ["negative"]}
    rules = [
        rule("A", {"any": [says("a"), {"not": similar}]}, place="pr"),
        rule("B", {"all": [{"field": "author_list", "value": ["press"]}, says("b")]}, place="pr"),
        rule("C", mood, place="pr", on=False),
    ]
    assert Book("v", 1, rules).asks == {"similar", "author_lists"}
    assert rules[2].asks == {"mood"}


# Nobody can make it slow --------------------------------------------------------------------------------------------
def matches(pattern):
    return {"field": "text", "op": "regex", "value": pattern}


def slowest(when, *texts):
    """Milliseconds of CPU for the slowest of these texts, with the reason. On a machine that is busy with other work
    the better of two tries counts."""
    asked = rule("R", when, tags=["t"])
    book = Book("v", 1, [asked])
    list(book.fitting(facts("warm")))
    return max(min(_milliseconds(book, text) for _ in range(2)) for text in texts)


def _milliseconds(book, text):
    """At the first sight of it, as a post comes: what RE2 learnt of another text is forgotten."""
    regexes.compiled.cache_clear()
    post = facts(text[:READ])
    began = time.thread_time()
    for each in book.fitting(post):
        each.when.matches(post)
    return (time.thread_time() - began) * 1000


def _random(letters, many=READ):
    dice = random.Random(1)
    return "".join(dice.choice(letters) for _ in range(many))


BAD = (
    "a" * 500_000 + "!",
    _random("ab"),
    _random("abc "),
    "a" * READ,
    _random("😀字éa"),
    "ab " * 3_000,
    _random("0a._ "),
)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|b|ab)*c{1,200}",
        "(a|a)*(a|a)*b",
        "(a|b)*a(a|b){250}x",
        "a.{190}b",
        "a[^c]{180}c",
        r"\w*a\w{100}x",
        r"(.*)(.*)(.*)(.*)(.*)[^ab]x",
        r"(\pL|\pM)?a\pL{1,2}x",
        ".?" * 170 + "x",
        "a" * 512,
        "(x+x+)+y",
        "(a|b)*a(a|b){200}|a",
        "a.{150}x|a",
    ],
)
def test_no_expression_that_can_be_saved_is_slow(pattern):
    assert slowest(matches(pattern), *BAD) <= 50


def test_no_rule_of_many_expressions_is_slow_either():
    many = [matches(f"(a|b|ab)*c{{1,{number}}}") for number in range(1, 20)]
    assert slowest({"any": many}, *BAD) <= 50
    with pytest.raises(Refused, match="steps when spelt out; one rule may have 600"):
        rule("R", {"any": [matches(f"a(a|b){{100}}{number}") for number in range(50)]}, tags=["t"])
    with pytest.raises(Refused, match="one rule may have 600"):
        rule("R", {"any": [matches(chr(97 + number % 26) * (463 + number)) for number in range(50)]}, tags=["t"])


def test_nor_one_of_ten_thousand_terms():
    ends = says(*("!" * many for many in range(1, 101)), *("a" * many for many in range(1, 101)))
    lists = [says(*(f"w{number} {place}" for place in range(200))) for number in range(48)]
    text = "!" * 5_000 + "a" * 4_900 + " w1 7 w2 9"
    assert slowest({"any": [ends, *lists]}, text, " ".join(f"w{n} x" for n in range(3_000)), "!a" * 5_000) <= 50


def test_what_re2_gives_up_on_together_is_sought_singly(monkeypatch):
    class Forgetful:
        def Match(self, text):
            return None  # as it answers when its memory does not do

    together = regexes.Together(["a+", "b+", "c"])
    monkeypatch.setattr(together, "_sets", [(first, Forgetful()) for first, _ in together._sets])
    assert together.found(facts("xx c aa").words) == {0, 2}


def test_expressions_are_found_beyond_what_one_set_holds():
    patterns = [f"{chr(97 + number)}{{250}}" for number in range(6)]
    together = regexes.Together(patterns)
    assert len(together._sets) == 3
    assert together.found(facts("b" * 250 + "f" * 250).words) == {1, 5}
    assert read_rule({"name": "R", "when": matches(patterns[0]), "then": {"stop": True}}, KNOWN)
