"""How terms are found in what people write."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.words import Term, Words


def written(text, term):
    """The stretches of the text in which the term was found."""
    words = Words(text)
    found = Term.of(term)
    return [words.text[start:end] for start, end in words.spans(found)] if words.has(found) else []


@pytest.mark.parametrize(
    ("text", "term", "stretches"),
    [
        ("My PARCEL is gone", "parcel", ["PARCEL"]),
        ("parcels, parcel", "parcel", ["parcel"]),
        ("the customer\n  service line", "customer service", ["customer\n  service"]),
        ("Straße", "STRASSE", ["Straße"]),
        ("un e\u0301te\u0301 chaud", "été", ["e\u0301te\u0301"]),
        ("ｃａｆé ﬁlm", "film", ["ﬁlm"]),
        ("It doesn’t work", "doesn't", ["doesn’t"]),
        ("l’application plante", "application", ["application"]),
        ("re\u00adfund", "refund", ["re\u00adfund"]),
        ("#Parcel", "parcel", ["Parcel"]),
        ("#Parcel", "#parcel", ["#Parcel"]),
        ("parcel", "#parcel", []),
        ("@parcel is their handle", "parcel", []),
        ("@parcel", "@parcel", ["@parcel"]),
        ("me@parcel.example", "@parcel", []),
        ("我的包裹在哪里", "包裹", ["包裹"]),
        ("พัสดุของฉันหาย", "พัสดุ", ["พัสดุ"]),
        ("택배가 안 왔어요", "택배", ["택배"]),
        ("ｶﾞｽ漏れ", "ガス", ["ｶﾞｽ"]),
        ("हिन्दी में", "हि", []),
        ("हिन्दी में", "हिन्दी", ["हिन्दी"]),
        ("awful 😡😡", "😡", ["😡", "😡"]),
        ("for $20 or 120", "$20", ["$20"]),
        ("why?!", "?!", ["?!"]),
        ("naïve_idea", "idea", []),
    ],
)
def test_a_term_is_found_where_it_was_written(text, term, stretches):
    assert written(text, term) == stretches


anything = st.text(max_size=40)


@given(before=anything, term=anything, after=anything)
@settings(max_examples=300)
def test_a_term_between_blanks_is_always_found_and_its_place_reads_as_it(before, term, after):
    asked = Term.of(term)
    # What begins with a mark melts into whatever stands before it; a lone handle sign would take the next word along.
    if not asked.folded or not asked.folded[0].isalnum() or not asked.folded[-1].isalnum():
        return
    words = Words(f"{before} . {term} . {after}")
    assert words.has(asked)
    assert any(Term.of(words.text[start:end]).folded == asked.folded for start, end in words.spans(asked))


@given(st.text(max_size=60))
@settings(max_examples=500)
def test_every_folded_character_knows_where_it_came_from(text):
    words = Words(text)
    if words.folded:
        start, end = words.written(0, len(words.folded))
        assert 0 <= start < end <= len(text)
        assert len(words._origins) - len(words.folded) in (0, 1)  # at most the blank at the end, which is trimmed


def test_of_what_is_said_over_and_over_the_first_places_are_shown():
    words = Words("buy now " * 1_000)
    assert words.spans(Term.of("buy")) == [(8 * place, 8 * place + 3) for place in range(50)]
