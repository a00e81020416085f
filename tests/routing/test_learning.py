"""A model is made of what people taught, held to the one in force, and people have the last word."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from departments.actions import found_department
from inbox import actions
from inbox.errors import Refused
from routing.learning import choosing, examples, fitting, harvest, live_model, refit, sampling
from routing.learning.due import due
from routing.learning.measuring import Judged, accuracy, ece, is_worse, macro_f1, mistaken_words, wilson
from routing.learning.quality import Quality
from routing.models import Correction, Decision, DepartmentExample, HeldOut, RoutingModel
from routing.scoring import training
from routing.scoring.said import Example, Said
from tests.make import item_of, make_conversation, make_item

#: Few words, so that training takes no time.
WORDS = {
    "customer-service": "parcel late refund order",
    "pr": "journalist interview shares press",
    "marketing": "advert campaign sponsor influencer",
    "hr": "vacancy apply salary internship",
    "rnd": "crash bug feature update",
    "none": "weather football lunch sunshine",
}
SEEDS = [Example(Said(f"{word} {more}"), label) for label, words in WORDS.items()
         for word, more in zip(words.split(), words.split()[1:], strict=False)]  # fmt: skip


@pytest.fixture
def school(house, monkeypatch, tmp_path):
    """A house with a handful of seed posts and no encoder."""
    monkeypatch.setattr(training, "seeds", lambda: SEEDS)
    monkeypatch.setattr(fitting, "remembering", lambda texts: None)
    monkeypatch.setattr(fitting, "FOLDS", 2)
    monkeypatch.setattr("sys.prefix", str(tmp_path))


def teach(text, department, by):
    """It lay in Triage, and somebody placed it."""
    item = make_item(text, "triage")
    actions.move(item, department, by=by)
    return item.conversation


def teach_all(by, departments, times):
    """So often one of each, in words that no seed knows."""
    for number in range(times):
        for department in departments:
            own = f"{department.slug[:3]}bravo {department.slug[:3]}tango"
            teach(f"{own} number {number}", department, by)


# A model ------------------------------------------------------------------------------------------------------------
def test_the_first_model_is_made_of_seeds_and_every_later_house_has_it_at_once(school, monkeypatch):
    assert due() == "The first model, from the seed posts"
    model = refit(due())
    assert (model.number, model.state, model.corrections) == (1, "live", 0)
    row, classifier = live_model()
    assert row == model and set(classifier.labels) == set(WORDS)
    best = classifier.predict([Said("my parcel is late, refund my order")])[0]
    assert classifier.labels[best.argmax()] == "customer-service"
    assert due() == ""

    RoutingModel.objects.all().delete()
    monkeypatch.setattr(training, "train", None)  # nobody trains
    assert bytes(refit("again").artefact) == bytes(model.artefact)


def test_after_25_corrections_a_model_learns_them_and_both_are_kept(
    school, cora, customer_service, rnd, django_assert_num_queries
):
    first = refit("first")
    teach_all(cora, [customer_service, rnd], 13)
    harvest()
    assert due() == "After 25 new corrections"
    second = refit(due())
    first.refresh_from_db()
    assert (second.state, first.state) == ("live", "retired")
    assert second.corrections == HeldOut.objects.filter(model=second).count() == 26
    assert second.metrics["open"]["n"] == 26 and second.metrics["open"]["accuracy"] > 0.8
    assert second.metrics["compared"]["with"] == 1
    live_model()
    with django_assert_num_queries(1):
        assert live_model()[0] == second
    # The same lessons teach the same.
    assert refit("once more").trained_on == second.trained_on


def test_a_candidate_that_is_worse_stays_one_until_somebody_wants_it(
    school, cora, carl, customer_service, rnd, monkeypatch
):
    refit("first")
    teach_all(cora, [customer_service, rnd], 13)
    good = refit("corrections")
    train = training.train

    def badly(taught, **more):
        labels = [each.label for each in taught]
        moved = labels[1:] + labels[:1]
        return train([Example(each.said, label) for each, label in zip(taught, moved, strict=True)], like=more["like"])

    monkeypatch.setattr(training, "train", badly)
    bad = refit("nightly")
    assert (bad.state, bad.metrics["compared"]["worse"]) == ("candidate", True)
    assert live_model()[0] == good

    with pytest.raises(PermissionDenied):
        choosing.activate(bad, by=carl)
    choosing.activate(bad, by=cora)
    assert live_model()[0] == bad
    choosing.go_back(by=cora)
    assert live_model()[0] == good


def test_what_is_not_what_was_stored_is_never_used(school, cora, caplog):
    model = refit("first")
    RoutingModel.objects.filter(pk=model.pk).update(artefact=bytes(model.artefact) + b"x", number=7)
    RoutingModel.objects.filter(pk=model.pk).update(state="retired", retired_at=timezone.now())
    with pytest.raises(Refused):
        choosing.activate(model, by=cora)
    RoutingModel.objects.filter(pk=model.pk).update(state="live")
    assert live_model() is None
    assert "its digest differs" in caplog.text


def test_only_one_trains_at_a_time(school):
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [fitting.LOCK])
            assert refit("second") is None
            cursor.execute("SELECT pg_advisory_unlock(%s)", [fitting.LOCK])
    finally:
        other.close()
    assert refit("first") is not None


def test_a_chosen_threshold_holds_at_once_and_for_the_models_after(school, cora, carl, ada):
    model = refit("first")
    own = model.thresholds["pr"]
    began = timezone.now()
    with pytest.raises(PermissionDenied):
        choosing.set_threshold("pr", 0.9, by=carl)
    choosing.set_threshold("pr", 0.9, by=cora)
    assert live_model()[0].thresholds["pr"] == live_model()[1].thresholds["pr"] == 0.9
    refit("again")
    assert live_model()[0].thresholds["pr"] == 0.9
    from routing.learning import thresholds_of

    assert thresholds_of(model, began)["pr"] == own
    choosing.set_threshold("pr", None, by=ada)
    assert live_model()[0].thresholds["pr"] == own


# Departments that admins add ------------------------------------------------------------------------------------
def test_a_department_of_ones_own_is_learnt_from_eight_examples_on(school, ada, client_of, carla):
    refit("first")
    gardens = found_department("Gardens", about="Flowers and trees", by=ada)
    lines = [
        f"the {plant} in your garden {verb}" for plant in ("tulip", "oak", "rose", "fern") for verb in ("died", "grows")
    ]
    address = reverse("department-examples", args=[gardens.slug])
    page = client_of(ada)
    assert page.post(address, {"texts": "\n".join(lines[:3])}).status_code == 302
    assert "<b>3 of 8</b>" in page.get(address).content.decode()
    assert due() == ""
    refused = page.post(address, {"texts": "ok\nthe palm in your garden grows"})
    assert refused.status_code == 422 and "Line 1 (“ok”) says too little" in refused.content.decode()
    assert page.post(address, {"texts": "\n".join(lines)}).status_code == 302
    assert gardens.examples.count() == 8
    assert client_of(carla).get(address).status_code == 404

    assert due() == "New examples of Gardens"
    refit(due())
    row, classifier = live_model()
    best = classifier.predict([Said("a rose grows in the garden")])[0]
    assert classifier.labels[best.argmax()] == "gardens"
    assert next(each for each in Quality(ada).pupils if each.department == gardens).since == row.created_at


def test_only_its_lead_writes_down_what_is_typical_of_hr(hr, hana, ada, cora, client_of):
    address = reverse("department-examples", args=[hr.slug])
    examples.add(hr, ["Do you have an internship for my son"], by=hana)
    assert "internship" in client_of(hana).get(address).content.decode()
    assert client_of(ada).get(address).status_code == 403
    assert client_of(cora).get(address).status_code == 404
    with pytest.raises(PermissionDenied):
        examples.add(hr, ["Another example of this"], by=ada)
    with pytest.raises(ValidationError):
        examples.add(hr, ["x" * 1001], by=hana)
    examples.remove(DepartmentExample.objects.get(), by=hana)
    assert not DepartmentExample.objects.exists()


# What is shown -----------------------------------------------------------------------------------------------------
def test_what_hr_taught_is_counted_and_read_by_hr_alone(school, hana, cora, ada, carla, customer_service, client_of):
    refit("first")
    teach_all(cora, [customer_service], 6)
    for number in range(6):
        given = make_item(f"canaryword vacancy number {number}")
        actions.hand_off(given, item_of(make_conversation("x y", "hr", author=f"a{number}"), "hr").department,
                         reason="wrong_department", by=carla)  # fmt: skip
        actions.accept(item_of(given.conversation, "hr"), by=hana)
    model = refit("corrections")
    assert model.metrics["all"]["n"] == 12 and model.metrics["open"]["n"] == 6
    assert "canaryword" not in json.dumps(model.metrics)
    for person, n in ((cora, 6), (ada, 6), (carla, 6), (hana, 6)):
        quality = Quality(person)
        assert (person.username, quality.n) == (person.username, n)
        html = client_of(person).get(reverse("quality")).content.decode()
        assert "canaryword" not in html or person == hana
    assert {row.right for row in Quality(hana).rows} == {"hr"}
    assert {row.right for row in Quality(carla).rows} == {"customer-service"}
    assert client_of(hana).get("/api/v1/routing/quality/").json()["accuracy"]["n"] == 6


def test_the_page_says_what_to_do_before_anybody_taught_anything(house, cora, client_of):
    html = client_of(cora).get(reverse("quality")).content.decode()
    assert "No corrections yet" in html and "There is no model yet" in html


def test_two_in_a_hundred_are_marked_and_what_people_answer_is_counted_apart(cora, carl, customer_service, client_of):
    conversation = make_conversation("parcel?")
    message = conversation.messages.get()
    Decision.objects.create(message=message, department=customer_service, source="model", label="Learnt", because="it")
    wanted = sampling.is_sampled(message.pk)
    assert sampling.sampled(cora).exists() == wanted
    from routing.learning import confirming

    page = reverse("conversation", args=[conversation.pk])
    assert ("Check me" in client_of(carl).get(page).content.decode()) == wanted
    sampling_ends, sampling.ENDS = sampling.ENDS, (str(message.pk)[-2:],)
    try:
        assert "Check me" in client_of(carl).get(page).content.decode()
        assert [each.message for each in Quality(cora).to_check] == [message]
        client_of(carl).post(reverse("conversation-confirm", args=[conversation.pk]))
        harvest()
        assert confirming.confirmation(item_of(conversation, customer_service)).by == carl
        assert "Confirmed" in client_of(carl).get(page).content.decode()
        assert [each.holds for each in Quality(cora).sampled] == [True]
        assert Quality(cora).to_check == []
        client_of(carl).post(reverse("conversation-confirm", args=[conversation.pk]), {"take-back": "1"})
        harvest()
        assert not Correction.objects.exists()
    finally:
        sampling.ENDS = sampling_ends


def test_carl_sees_no_quality_and_nobody_but_house_chooses(school, carl, carla, cora, stranger, client_of):
    model = refit("first")
    assert client_of(carl).get(reverse("quality")).status_code == 404
    assert client_of(carla).post(reverse("model-live", args=[model.number])).status_code == 403
    answer = client_of(cora).post(reverse("quality-threshold"), {"label": "pr", "percent": "85"}, follow=True)
    assert "From now on: 85\u202f%." in answer.content.decode()
    assert client_of(cora).post(f"/api/v1/routing/models/{model.number}/activate/").status_code == 409
    assert client_of(cora).get("/api/v1/routing/models/").json()["results"][0]["number"] == model.number


# Numbers -----------------------------------------------------------------------------------------------------------
def judged(*pairs):
    return [Judged(right, ((guess, sure), ("none", 0.01))) for right, guess, sure in pairs]


def test_the_numbers_are_what_their_definitions_say():
    low, high = wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert wilson(0, 0) == (0.0, 1.0)
    rows = judged(("a", "a", 0.9), ("a", "b", 0.6), ("b", "b", 0.9), ("b", "b", 0.6))
    assert accuracy(rows) == 0.75
    assert macro_f1(rows) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert ece(rows) == pytest.approx(0.1)
    assert is_worse(judged(("a", "b", 0.9)), judged(("a", "a", 0.9)))
    assert not is_worse(rows * 6, rows * 6)


def test_words_of_mistakes_are_those_that_stand_there_clearly_more_often():
    right, wrong = judged(("a", "a", 0.9), ("a", "b", 0.9))
    rows = [(right, frozenset({"thanks", "parcel"}))] * 20 + [(wrong, frozenset({"thanks", "recall"}))] * 6
    assert [each.word for each in mistaken_words(rows)] == ["recall"]
    assert mistaken_words(rows, seldom=7) == []
