"""What a rule may ask: read, said in words, answered."""

from datetime import UTC, datetime

import pytest

from routing.conditions import Refused, read_condition, schema
from routing.questions import QUESTIONS
from tests.routing.posts import facts, says


def matches(pattern):
    return {"field": "text", "op": "regex", "value": pattern}


def answer(condition, post):
    """Whether it fits; the quick way and the explaining way have to agree."""
    read = read_condition(condition)
    assert read.holds(post) == (read.matches(post) is not None)
    return read.holds(post)


# Reading ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "place", "sentence"),
    [
        ({"field": "colour"}, "", "There is no such condition"),
        (None, "", "There is no such condition"),
        ([], "", "There is no such condition"),
        ({"all": []}, "all", "Name at least one."),
        ({"any": [says()]}, "any.0.value", "Name at least one."),
        (says("a", "  "), "value", "A term is empty."),
        (says("x" * 101), "value.0", "This is longer than 100 characters."),
        (says(*map(str, range(201))), "value", "Name at most 200."),
        (says(op="near"), "op", "This is none of 'any', 'all' or 'starts'."),
        (matches("(a"), "value", "RE2 can not use this expression: missing ): (a."),
        (matches(r"(?<=a)b"), "value", "RE2 can not use this expression: invalid perl operator"),
        (matches(r"(a)\1"), "value", "RE2 can not use this expression: invalid escape sequence"),
        (matches("x" * 513), "value", "This is longer than 512 characters."),
        (matches("(a{1,25}){1,25}b"), "value", "steps when it is spelt out; at most 600 can be."),
        ({"field": "followers", "op": "between", "value": [9, 1]}, "value", "The first number is greater"),
        ({"field": "mood", "value": ["sad"]}, "value", "“sad” is no mood; there are negative, neutral"),
        ({"field": "label", "value": {"labels": ["pr"], "at_least": 2}}, "value.at_least", "This is more than 1"),
        ({"not": {"field": "kind", "value": ["tweet"]}}, "not.value", "“tweet” is no kind of message"),
        ({"field": "followers", "op": "at_least", "value": "many"}, "value", "This is no whole number."),
        ({"field": "time", "value": {"zone": "Mars/Base"}}, "value.zone", "“Mars/Base” is no time zone"),
        ({"field": "lang", "value": ["klingon!"]}, "value", "“klingon!” is no language"),
        (says("a") | {"weight": 2}, "weight", "Nothing is known by this name."),
        ({"all": [says("a")] * 51}, "", "A rule asks at most 50 questions."),
        ({"not": {"not": {"not": {"not": {"not": {"not": says("a")}}}}}}, "", "Groups lie more than 6 deep"),
    ],
)
def test_what_nobody_understands_is_refused_with_a_sentence(written, place, sentence):
    with pytest.raises(Refused) as refused:
        read_condition(written)
    assert sentence in refused.value.problems[place]


def test_a_tree_too_deep_to_walk_is_refused_rather_than_walked():
    tree = says("a")
    for _ in range(100_000):
        tree = {"not": tree}
    with pytest.raises(Refused, match="deep"):
        read_condition(tree)
    while "not" in tree:  # so that letting go of it does not walk it either
        tree = tree["not"]


def test_terms_are_kept_as_typed_each_once():
    assert read_condition(says(" Paket  weg ", "paket WEG", "parcel")).value == ["Paket weg", "parcel"]


def test_every_question_is_in_the_schema():
    assert all(f'"const": "{field}"' in str(schema()).replace("'", '"') for field in QUESTIONS)


# Answers ------------------------------------------------------------------------------------------------------------
REVIEW = facts(
    "Great. But #Sync is slow? https://acme.example", kind="review", network="facebook", rating=2, lang="pt-br"
)


@pytest.mark.parametrize(
    ("condition", "post", "fits"),
    [
        (says("slow", "broken"), REVIEW, True),
        (says("slow", "broken", op="all"), REVIEW, False),
        (says("great. but", op="starts"), REVIEW, True),
        (says("but", op="starts"), REVIEW, False),
        (says("grea", op="starts"), REVIEW, False),
        ({"field": "network", "value": ["facebook", "x"]}, REVIEW, True),
        ({"field": "kind", "value": "review"}, REVIEW, True),
        ({"field": "channel", "value": ["acme-x"]}, REVIEW, True),
        ({"field": "author", "value": ["@Press_Desk"]}, facts(author_handle="press_desk"), True),
        ({"field": "author", "value": ["17"]}, facts(author_id="17"), True),
        ({"field": "followers", "op": "at_least", "value": 10_000}, facts(followers=10_000), True),
        ({"field": "followers", "op": "below", "value": 10_000}, facts(followers=0), True),
        ({"field": "followers", "op": "below", "value": 10_000}, facts(followers=None), False),
        ({"field": "followers", "op": "at_least", "value": 0}, facts(followers=None), False),
        ({"field": "lang", "value": ["Portuguese"]}, REVIEW, True),
        ({"field": "lang", "value": ["pt-pt"]}, REVIEW, False),
        ({"field": "hashtag", "value": ["#sync"]}, REVIEW, True),
        ({"field": "hashtag", "value": ["slow"]}, REVIEW, False),
        ({"field": "rating", "op": "at_most", "value": 2}, REVIEW, True),
        ({"field": "rating", "op": "at_most", "value": 2}, facts(rating=None), False),
        ({"field": "visibility", "value": ["direct"]}, facts(visibility="direct"), True),
        ({"field": "trait", "value": ["link"]}, REVIEW, True),
        ({"field": "trait", "value": ["question"]}, REVIEW, True),
        ({"field": "trait", "value": ["media", "verified", "answers_us"]}, REVIEW, False),
        ({"field": "trait", "value": ["answers_us"]}, facts(is_reply_to_us=True), True),
        ({"field": "post"}, facts(), True),
        (matches(r"order\W*\d{5}"), facts("My ORDER: 12345"), True),
        (matches("straße"), facts("In der STRASSE"), False),
        (matches("it's"), facts("It’s   late"), True),
        (matches("(?-i)ACME"), facts("acme"), False),
        (matches(r"^a b$"), facts("A\n B"), True),
        (matches("？"), facts("a"), False),
        ({"field": "followers", "op": "between", "value": [10, 20]}, facts(followers=20), True),
        ({"field": "followers", "op": "between", "value": [0, 20]}, facts(), False),
        ({"field": "author_list", "value": ["press", "vip"]}, facts(author_lists=frozenset(["vip"])), True),
        ({"field": "author_list", "value": ["press"]}, facts(), False),
        ({"field": "author_messages", "op": "at_least", "value": 3}, facts(author_messages=3), True),
        ({"field": "author_messages", "op": "below", "value": 3}, facts(), False),
        ({"field": "campaign", "value": ["summer"]}, facts(campaigns=frozenset(["summer"])), True),
        ({"field": "similar", "op": "between", "value": [5, 50]}, facts(similar=7), True),
        ({"field": "similar", "op": "below", "value": 5}, facts(), False),
        ({"field": "hours", "value": ["pr", "hr"]}, facts(open_now=frozenset(["hr"])), True),
        ({"field": "hours", "value": ["pr"]}, facts(), False),
        ({"field": "mood", "value": ["Very negative", "positive"]}, facts(mood=-0.7), True),
        ({"field": "mood", "value": ["negative"]}, facts(mood=-0.7), True),
        ({"field": "mood", "value": ["neutral"]}, facts(mood=0.0), True),
        ({"field": "mood", "value": ["neutral"]}, facts(), False),
        ({"field": "label", "value": {"labels": ["pr"], "at_least": 0.7}}, facts(labels=(("pr", 0.7),)), True),
        ({"field": "label", "value": {"labels": ["pr"], "at_least": 0.7}}, facts(labels=(("pr", 0.6),)), False),
        ({"field": "label", "value": {"labels": ["none"]}}, facts(), False),
        ({"not": says("slow")}, REVIEW, False),
        ({"all": [says("slow"), {"any": [says("no"), {"not": says("yes")}]}]}, REVIEW, True),
    ],
)
def test_a_question_is_answered(condition, post, fits):
    assert answer(condition, post) is fits


NIGHT = {"field": "time", "value": {"days": ["fri"], "from": "22:00", "to": "06:00", "zone": "Europe/Berlin"}}


@pytest.mark.parametrize(
    ("utc", "fits"),
    [
        (datetime(2026, 5, 8, 19, 59), False),  # Friday 21:59 in Berlin
        (datetime(2026, 5, 8, 20, 0), True),
        (datetime(2026, 5, 9, 3, 59), True),  # Saturday 05:59: the night belongs to Friday
        (datetime(2026, 5, 9, 4, 0), False),
        (datetime(2026, 5, 8, 2, 0), False),  # Friday 04:00: that night is Thursday's
        (datetime(2026, 1, 9, 20, 30), False),  # winter time: 21:30 in Berlin
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(utc, fits):
    assert answer(NIGHT, facts(created_at=utc.replace(tzinfo=UTC))) is fits


# Words --------------------------------------------------------------------------------------------------------------
KNOWN_TO_MANY = {"field": "followers", "op": "at_least", "value": 10_000}


def test_a_condition_says_itself():
    tree = {
        "all": [
            says("parcel", "delivery", "Paket"),
            {
                "any": [
                    {"field": "followers", "op": "at_least", "value": 10_000},
                    {"not": {"field": "lang", "value": "de"}},
                ]
            },
        ]
    }
    assert str(read_condition(tree)) == (
        "the text contains “parcel”, “delivery” or “Paket”, and "
        "(the author has at least 10,000 followers, or it is not written in German)"
    )
    assert read_condition(says("a", "b", "c", "d", "e")).say(most=3) == "the text contains “a”, “b”, “c” or 2 more"


def test_it_tells_why_and_where_it_fits():
    hit = read_condition({"all": [says("parcel", "delivery", "lost"), {"not": says("thanks")}]}).matches(
        facts("Lost again! My #Parcel…")
    )
    assert hit.reasons == ("the text contains “parcel” and “lost”",)
    assert [tuple(span) for span in hit.spans] == [(0, 4, "lost"), (16, 22, "parcel")]


def test_an_expression_tells_where_it_was_found_in_the_text_as_it_was_written():
    text = "😀 Straße…  BESTELLUNG\n 4711, bestellung 12"
    hit = read_condition(matches(r"bestellung \d+")).matches(facts(text))
    assert [text[span.start : span.end] for span in hit.spans] == ["BESTELLUNG\n 4711", "bestellung 12"]
    assert hit.reasons == ("the text matches the expression bestellung \\d+, in “BESTELLUNG\n 4711”",)
    assert read_condition(matches("x*")).matches(facts("abc")).spans == ()


@pytest.mark.parametrize(
    ("condition", "post", "lack"),
    [
        (says("parcel", "delivery"), facts("hello"), "the text does not contain “parcel” or “delivery”"),
        (says("a", "b", op="all"), facts("a"), "the text does not contain “b”"),
        (
            {"field": "followers", "op": "at_least", "value": 10_000},
            facts(followers=120),
            "the author has 120 followers, the rule asks for at least 10,000",
        ),
        (
            {"field": "followers", "op": "at_least", "value": 10_000},
            facts(),
            "the network does not tell how many followers the author has, the rule asks for at least 10,000",
        ),
        (matches("a+b"), facts("x"), "the text does not match the expression a+b"),
        (
            {"field": "author_messages", "op": "between", "value": [3, 5]},
            facts(),
            "it is not known how often the author wrote, the rule asks for between 3 and 5",
        ),
        ({"field": "author_list", "value": ["press"]}, facts(), "its author is not known to be on the list “press”"),
        (
            {"field": "campaign", "value": ["summer"]},
            facts(campaigns=frozenset(["winter"])),
            "it belongs to “winter”, the rule asks for “summer”",
        ),
        (
            {"field": "similar", "op": "at_least", "value": 9},
            facts(similar=1),
            "there is no near copy of it within a day, the rule asks for at least 9",
        ),
        (
            {"field": "hours", "value": ["pr"]},
            facts(),
            "it is not known to have come within the business hours of “pr”",
        ),
        ({"field": "mood", "value": ["negative"]}, facts(), "its mood is not known, the rule asks for negative"),
        (
            {"field": "mood", "value": ["negative"]},
            facts(mood=0.5),
            "it sounds positive (+0.50 of 1), the rule asks for negative",
        ),
        (
            {"field": "label", "value": {"labels": ["pr"]}},
            facts(labels=(("none", 0.8), ("pr", 0.2))),
            "the classifier takes it for “pr” with 20 %, the rule asks for “pr” with at least 60 %",
        ),
        (
            {"field": "label", "value": {"labels": ["none"]}},
            facts(),
            "the classifier has not read it, the rule asks for nobody’s with at least 60 %",
        ),
        ({"field": "network", "value": ["youtube"]}, facts(), "it is from X, the rule asks for YouTube"),
        ({"not": says("thanks")}, facts("Thanks all"), "the text contains “thanks”, which the rule excludes"),
        (
            {"field": "rating", "op": "at_most", "value": 1},
            facts(),
            "it gives no rating, the rule asks for 1 star or fewer",
        ),
        (NIGHT, facts(), "it was written on Tuesday at 00:00, not on Friday between 22:00 and 06:00 (Europe/Berlin)"),
        (
            {"all": [says("parcel"), {"field": "kind", "value": ["dm"]}, {"field": "post"}]},
            facts(),
            "the text does not contain “parcel”; it is a mention, the rule asks for a direct message",
        ),
    ],
)
def test_it_tells_what_a_post_lacks(condition, post, lack):
    assert read_condition(condition).missing(post) == lack


def test_what_is_typed_into_the_form_comes_back_as_it_was_meant():
    for field, op, typed in [
        ("text", "any", 'parcel, "so, what", délai'),
        ("text", "any", 'a 5" screen\n"""quoted"", twice"'),
        ("followers", "at_least", "10 000"),
        ("lang", "in", "German, pt-br"),
        ("time", "within", "mon-fri 9:00-17:30 Europe/Berlin"),
        ("time", "within", "sat,sun"),
        ("post", "any", ""),
        ("text", "regex", r"\d{2,3}, [“x]"),
        ("followers", "between", "1,000 - 5 000"),
        ("mood", "in", "very negative, neutral"),
        ("label", "any", "pr, none from 72.5 %"),
        ("label", "any", "pr"),
        ("campaign", "any", "Summer, winter"),
    ]:
        value = QUESTIONS[field].from_typed(typed, op)
        read = read_condition({"field": field, "op": op, "value": value})
        again = read_condition({"field": field, "op": op, "value": QUESTIONS[field].from_typed(read.typed(), op)})
        assert read == again
    assert str(read_condition({"field": "time", "value": QUESTIONS["time"].from_typed("fri-mon 9:00-17:30")})) == (
        "it was written on Monday, Friday, Saturday or Sunday between 09:00 and 17:30 (UTC)"
    )
