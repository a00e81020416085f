"""What no rule places is read, and placed by what a model is sure of."""

import pytest
from django.utils import timezone

from departments.models import Department
from inbox.models import Message
from inbox.waiting import as_they_waited
from routing import actions, engine, grounds, reading
from routing.explaining import explain
from routing.models import Correction, Decision, Embedding, MessageScores
from routing.verifying import verify
from tests.make import make_post, receive
from tests.routing.posts import says
from tests.routing.taught import taught_house  # noqa: F401

pytestmark = pytest.mark.django_db
PARCELS = {"uid": "p", "name": "Parcels", "when": says("parcel"), "then": {"place": "customer-service"}}
FAULTS = {"uid": "f", "name": "Faults", "when": says("crash"), "then": {"join": ["pr"]}}


@pytest.fixture
def model(taught_house):  # noqa: F811
    actions.publish(actions.found_rule_set(by="system"), [PARCELS, FAULTS], by="system")
    return taught_house


def lies_in(message):
    """The departments that it lies in, the leading one first."""
    items = message.conversation.items.order_by("-lead", "pk").select_related("department")
    return [each.department.slug for each in items]


def test_a_rule_decides_before_any_model_is_asked(model):
    (message,) = receive(make_post("The parcel with my gearbox is late"))
    assert engine.route() == 1
    assert lies_in(message) == ["customer-service"] and not model.asked
    assert not MessageScores.objects.exists()


def test_what_no_rule_places_goes_where_the_model_is_sure_and_says_so(model):
    (message,) = receive(make_post("Your gearbox is wonderful, and yet it does crash"))
    assert engine.route() == 1
    decision = Decision.objects.get()
    assert lies_in(message) == ["rnd", "pr"]
    assert decision.sentence == "It went to R&D, because no rule fits, and the model is 92 % sure of it."
    assert (decision.source, decision.label, decision.guesses[0]) == ("model", "Reads like R&D", ["rnd", 0.92])
    scores = MessageScores.objects.get(message=message)
    assert decision.model == scores.model and scores.labels[0] == ["rnd", 0.92]
    assert Embedding.objects.get(message=message).encoder == "letters"
    assert message.conversation.items.get(lead=True).mood == 1


@pytest.mark.parametrize(
    ("text", "department", "because", "nothing"),
    [
        (
            "It is so noisy in here", "triage",
            "no rule fits, and it is not sure what it reads like: Customer service 48 %, R&D 31 %", False,
        ),
        (
            "My salary, and theirs", "hr",
            "no rule fits, and HR, which works in confidence, is the likeliest (38 %)", False,
        ),
        ("What a sunset over the bay", "triage", "no rule fits, and the model is 95 % sure that it is nobody’s", True),
    ],
)  # fmt: skip
def test_who_is_not_sure_asks_triage_but_never_shows_it_what_may_be_confidential(
    model, text, department, because, nothing
):
    (message,) = receive(make_post(text))
    engine.route()
    decision = Decision.objects.get()
    assert lies_in(message) == [department]
    assert (decision.because, decision.probably_nothing) == (because, nothing)
    message.conversation.refresh_from_db()
    assert message.conversation.confidential is (department == "hr")


def test_of_a_conversation_that_has_to_be_read_the_messages_keep_their_order(model):
    first = make_post("The gearbox again", minutes_ago=9)
    one, two = receive(first, make_post("and the parcel", in_reply_to=first.id, kind="reply", minutes_ago=5))
    assert engine.route() == 2
    assert lies_in(one) == lies_in(two) == ["rnd"]
    assert list(Decision.objects.order_by("message__created_at").values_list("source", flat=True)) == [
        "model", "thread",
    ]  # fmt: skip


def test_a_rule_that_asks_for_a_mood_waits_until_it_was_read(model):
    angry = {"field": "mood", "op": "in", "value": ["negative"]}
    rule = {"uid": "m", "name": "Angry", "when": {"all": [says("parcel"), angry]}, "then": {"place": "pr"}}
    actions.publish(actions.found_rule_set(by="system"), [rule, PARCELS], by="system")
    mad, glad = receive(make_post("Worst parcel ever, useless"), make_post("A lovely parcel, thanks", author="ben"))
    assert engine.route() == 2
    assert (lies_in(mad), lies_in(glad)) == (["pr"], ["customer-service"])
    assert verify().counts == {"decisions": 2, "same": 2}


def test_what_another_worker_routed_meanwhile_is_passed_over(model, settings):
    (message,) = receive(make_post("A gearbox, please"))

    def elsewhere():
        model.meanwhile, settings.LEARNED_ROUTING = lambda: None, False
        assert engine.route() == 1

    model.meanwhile = elsewhere
    assert engine.route() == 0
    assert lies_in(message) == ["triage"] and Decision.objects.count() == 1
    assert not MessageScores.objects.exists()


def test_what_was_edited_while_it_was_read_is_read_again(model):
    post = make_post("A gearbox, please")
    (message,) = receive(post)

    def edit():
        model.meanwhile = lambda: None
        receive(make_post("What a sunset", id=post.id, edited_at=timezone.now()))

    model.meanwhile = edit
    assert [engine.route(), engine.route(), engine.route()] == [0, 1, 0]
    assert Decision.objects.get().because == "no rule fits, and the model is 95 % sure that it is nobody’s"


def test_what_can_not_be_read_is_decided_by_rules_alone(model):
    def break_down():
        raise MemoryError

    model.meanwhile = break_down
    (message,) = receive(make_post("A gearbox, please"))
    assert engine.route() == 1
    assert lies_in(message) == ["triage"]
    assert Decision.objects.get().because == "no rule fits"


def test_nothing_is_read_twice_and_what_was_read_is_erased_with_the_text(model):
    post = make_post("A gearbox, please")
    (message,) = receive(post)
    engine.route()
    (waiting,) = as_they_waited([str(message.pk)])
    assert reading.read([waiting])[waiting.id].labels[0] == ("rnd", 0.92)
    assert model.asked == ["A gearbox, please"]
    receive(make_post("", id=post.id, deleted=True, author=None))
    assert not Embedding.objects.exists() and not MessageScores.objects.exists()
    assert reading.read([waiting]) and not MessageScores.objects.exists()


def test_what_a_model_decided_is_reached_again(model):
    texts = ("A gearbox", "So noisy", "My salary", "A sunset", "Parcel")
    receive(*[make_post(text, author=text[:3]) for text in texts])
    assert engine.route() == 5
    assert verify().counts == {"decisions": 5, "same": 5}


def test_what_is_too_short_to_tell_is_in_the_language_that_its_author_or_its_channel_speaks(house):
    said = "Guten Tag, ich suche die Adresse eurer Werkstatt in Kassel, Nummer "
    receive(*[make_post(f"{said} {number}", author=f"person{number}") for number in range(20)])
    receive(make_post("Bonjour, je cherche l'adresse de votre atelier", author="zoe"))
    engine.route()
    late = receive(make_post("ok", author="zoe", minutes_ago=1), make_post("ok", author="max", minutes_ago=1))
    engine.route()
    assert [Message.objects.get(pk=each.pk).language for each in late] == ["fr", "de"]


# Why ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def reads(model, monkeypatch):
    """The model that decided is the one in force, and nobody has to unpack it."""
    row, toy = reading.live_model()
    monkeypatch.setattr(grounds, "_reader", lambda pk: reading.Reader(row, toy))
    return model


def test_why_here_names_guesses_words_and_what_people_decided_of_posts_like_it(reads, ravi, carl, mia, client_of):
    def corrected(text, author, slug):
        (said,) = receive(make_post(text, author=author))
        engine.route()
        belongs = Department.objects.get(slug=slug)
        Correction.objects.create(message=said, belongs=belongs, source="placed", by=mia)

    corrected("A gearbox, noisy in second gear", "ben", "rnd")
    corrected("My salary in the gear works is low", "eve", "hr")  # which Ravi may not see
    (message,) = receive(make_post("Noisy second gear in the gearbox"))
    engine.route()
    strip = explain(message.conversation, ravi)
    assert strip["guesses"] == [("R&D", "92 %"), ("Customer service", "5 %")]
    assert "Model 1" in strip["version"] and strip["has_grounds"]
    page = client_of(ravi).get(f"/routing/why/{message.conversation_id}/", headers={"HX-Request": "true"}).text
    assert "gearbox <span" in page and "people said: R&amp;D" in page and "salary" not in page
    assert client_of(carl).get(f"/routing/why/{message.conversation_id}/").status_code == 404


def test_of_what_was_erased_nothing_is_told(reads, ravi, client_of):
    post = make_post("The gearbox again")
    (message,) = receive(post)
    engine.route()
    receive(make_post("", id=post.id, deleted=True, author=None))
    strip = explain(message.conversation, ravi)
    assert strip["guesses"] == [] and not strip["has_grounds"]
    assert "No model had a say" in client_of(ravi).get(f"/routing/why/{message.conversation_id}/").text


def test_what_was_corrected_by_rule_or_hand_is_read_later_so_that_it_can_be_an_example(model, mia, customer_service):
    (message,) = receive(make_post("The parcel again"))
    engine.route()
    Correction.objects.create(message=message, belongs=customer_service, source="confirmed", by=mia)
    assert [grounds.read_corrected(), grounds.read_corrected()] == [1, 0]
    assert Embedding.objects.filter(message=message).exists()
