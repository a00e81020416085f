"""Finding what was said, by whoever may know of it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from departments import access
from inbox import actions, search
from inbox.pieces import changed, marked, snippet
from inbox.words import query_of, words_of
from tests.make import answer_in, item_of, make_conversation

pytestmark = pytest.mark.django_db


def found(user, typed, **more):
    return [each.conversation for each in search.search(user, typed, **more)[0]]


def test_carl_finds_what_lies_in_his_queue_and_nothing_of_another(carl, pia):
    parcel = make_conversation("My parcel never came")
    make_conversation("A journalist asks about the parcel strike", "pr", author="ben")
    assert found(carl, "parcel") == [parcel]
    assert parcel not in found(pia, "parcel")


def test_nobody_but_hana_finds_what_hr_holds(carl, cora, ada, hana):
    secret = make_conversation("I apply for the job of a mechanic", "hr", author="ben")
    assert found(hana, "mechanic") == [secret]
    for person in (carl, cora, ada):
        assert found(person, "mechanic") == []
        assert search.people(person, "ben") == []


def test_what_is_not_routed_yet_is_found_by_nobody(carl, cora, ada):
    make_conversation("unrouted words", None)
    assert not any(found(person, "unrouted") for person in (carl, cora, ada))


def test_a_note_is_found_by_its_audience_alone(carl, pia, customer_service):
    conversation = make_conversation("My parcel never came", joins=("pr",))
    actions.note(conversation, "She is known as the walrus lady", audience=customer_service, by=carl)
    actions.note(conversation, "Everybody may read of the penguin", by=carl)
    assert found(carl, "walrus") == [conversation]
    assert found(pia, "walrus") == []
    assert found(pia, "penguin") == [conversation]


def test_a_note_that_was_taken_back_is_found_no_more(carl):
    conversation = make_conversation("My parcel never came")
    actions.remove_note(actions.note(conversation, "About the walrus", by=carl), by=carl)
    assert found(carl, "walrus") == []


def test_a_conversation_is_one_result_with_its_best_hit(carl):
    conversation = make_conversation("A parcel")
    answer_in(conversation, "parcel parcel parcel")
    (only,), more = search.search(carl, "parcel")
    assert (only.conversation, only.snippet, more) == (conversation, "parcel parcel parcel", False)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("Mon colis n’est jamais arrivé", "arrive"),
        ("Wo bleibt mein Päckchen?", "packchen"),
        ("昨日の配送遅延について教えてください", "配送遅延"),
        ("昨日の配送遅延について教えてください", "昨日"),
        ("黒い猫が好き。猫", "猫"),
        ("พัสดุของฉันอยู่ที่ไหน", "อยู่ที่ไหน"),
        ("소포가 아직 안 왔어요", "소포"),
        ("iPhone壊れた", "壊れた"),
        ("Где моя посылка?", "посылка"),
        ("أين طردي؟", "طردي"),
        ("The #outage again", "#outage"),
        ("Ask @mirabelo about it", "@mirabelo"),
    ],
)
def test_words_are_found_in_every_script_and_without_their_accents(carl, text, typed):
    conversation = make_conversation(text)
    make_conversation("Something else entirely 全く別のこと", author="ben")
    assert found(carl, typed) == [conversation]


def test_quotes_or_and_minus_mean_what_they_mean_everywhere(carl):
    lost, bag = make_conversation("lost my bag"), make_conversation("my bag is not lost, it is late", author="ben")
    assert found(carl, '"lost my"') == [lost]
    assert found(carl, "bag -late") == [lost]
    assert set(found(carl, "late or lost")) == {lost, bag}


def test_operators_narrow_the_search(carl):
    urgent = make_conversation("parcel one", tags=("outage",))
    other = make_conversation("parcel two", author="ben")
    actions.take(item_of(other, "customer-service"), by=carl)
    assert found(carl, "parcel from:ben") == [other]
    assert found(carl, "from:@ben") == [other]
    assert found(carl, "parcel tag:outage") == [urgent]
    assert found(carl, "is:unassigned") == [urgent]
    assert found(carl, "is:mine parcel") == [other]
    assert found(carl, "parcel in:customer-service network:quiet") != []
    assert found(carl, "parcel in:hr") == found(carl, "parcel network:x") == []


def test_operators_tell_nothing_of_hidden_queues(carl, hana):
    """Whether HR holds a share of anything is not to be learnt by searching for it."""
    make_conversation("I apply", "hr", author="ben")
    assert found(carl, "in:hr") == []
    assert len(found(hana, "in:hr")) == 1


def test_people_are_found_by_name_and_handle_once_they_are_known(carl, pia):
    make_conversation(author="ines")
    make_conversation(department="pr", author="inga")
    assert [each.name for each in search.people(carl, "in")] == ["Ines"]
    assert [each.handles[0].handle for each in search.people(pia, "@ing")] == ["@inga"]


def test_what_they_deleted_is_found_no_more(carl):
    from inbox.models import Message
    from tests.make import make_post, receive

    conversation = make_conversation("embarrassing words")
    message = Message.objects.get(conversation=conversation)
    receive(make_post("", id=message.external_id, deleted=True))
    assert found(carl, "embarrassing") == []


def test_results_come_in_pages(carl):
    made = {make_conversation(f"parcel {name}", author=name) for name in ("ana", "ben", "cleo")}
    first, more = search.search(carl, "parcel", size=2)
    last, no_more = search.search(carl, "parcel", start=2, size=2)
    assert {each.conversation for each in first + last} == made
    assert (more, no_more) == (True, False)


def test_a_search_costs_as_many_queries_for_one_hit_as_for_many(carl, django_assert_num_queries):
    access.rights(carl)
    make_conversation("parcel")
    actions.note(make_conversation("late", author="eve"), "about the parcel", by=carl)
    with django_assert_num_queries(1):
        search.search(carl, "parcel")
    for name in ("ben", "cleo", "dora"):
        actions.note(make_conversation("parcel", author=name), "about the parcel", by=carl)
    with django_assert_num_queries(1):
        search.search(carl, "parcel")


HOSTILE = [
    "",
    " ",
    "'",
    '"',
    "' OR 1=1 --",
    "a & | !",
    "(((",
    ":*",
    "\\",
    "%",
    "_",
    "\0",
    "-",
    '-"',
    "or or or",
    "from:",
    "in:'x",
    "🙂",
    "é" * 9_999,
]


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_that_is_typed_breaks_the_search(carl, client_of, typed):
    make_conversation("parcel")
    assert client_of(carl).get("/search/", {"q": typed}).status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_any_text_is_a_query(carl, typed):
    search.search(carl, typed)
    search.people(carl, typed)


def test_unspaced_scripts_are_cut_in_pairs_and_all_else_is_left():
    assert words_of("配送遅延 late").split() == ["配送", "送遅", "遅延", "延", "late"]
    assert " ".join(query_of("late 配送遅延 -猫舌").split()) == 'late "配送 送遅 遅延" -"猫舌"'
    assert " ".join(query_of('"東京駅 x"').split()) == '" 東京 京駅 x"'
    assert "\0" not in words_of("a\0b\ud800")


def test_a_snippet_marks_the_words_and_makes_no_markup():
    pieces = snippet("x " * 100 + "<b>Café</b> & more " + "y " * 200, "cafe")
    assert [piece["text"] for piece in pieces if piece["hit"]] == ["Café"]
    text = "".join(piece["text"] for piece in pieces)
    assert "<b>Café</b>" in text and len(text) < 300


def test_spans_that_overlap_or_reach_too_far_still_give_the_text():
    pieces = marked("My bag is lost", [(3, 6), (4, 9), (-3, 2), (12, 99), (50, 60), (6, 6)])
    assert "".join(piece["text"] for piece in pieces) == "My bag is lost"
    assert [piece["text"] for piece in pieces if piece["hit"]] == ["My", "bag", " is", "st"]


def test_an_edit_shows_the_words_that_went_and_came():
    pieces = changed("missing for two days", "missing for three days!")
    assert [(piece["change"], piece["text"]) for piece in pieces if piece["change"]] == [
        ("del", "two"),
        ("ins", "three"),
        ("ins", "!"),
    ]
