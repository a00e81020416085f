"""The house gives out a department's work: to whom, why, and that what people hold is counted right."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.utils import timezone

from departments.models import AuditEntry, User
from inbox import actions, staff
from inbox.actions import Placement
from inbox.errors import Refused
from inbox.models import Message, QueueItem
from routing import assignment
from routing.assignment import giving
from routing.models import Assignment, AssignmentPolicy, Capacity, LoadChange
from tests.make import answer_in, find, item_of, make_item, make_post, receive

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_carl_and_carla(house):
    """Customer service has its work given out; Mia, who helps there, takes what she likes."""
    takes("mia", 0)


def gives_out(department="customer-service", **more) -> AssignmentPolicy:
    return AssignmentPolicy.objects.update_or_create(department=find(department), defaults={"on": True, **more})[0]


def takes(name, most=None, department="customer-service", **more) -> Capacity:
    person = User.objects.get(username=name)
    given = {"most": most, **more}
    return Capacity.objects.update_or_create(department=find(department), user=person, defaults=given)[0]


def has(item) -> str:
    item.refresh_from_db()
    return item.assignee.username if item.assignee else "nobody"


def why(item) -> str:
    return Assignment.objects.running().get(item=item).because


def held(name, department="customer-service") -> int:
    return Capacity.objects.with_held().get(department=find(department), user__username=name).held


# Whom -----------------------------------------------------------------------------------------------------------
def test_the_least_busy_gets_it_and_everybody_reads_why(carl, carla):
    gives_out(capacity=4)
    takes("carl", 2)
    first, second, third = make_item(), make_item(author="ben"), make_item(author="cleo")
    actions.take(first, by=carl)
    assert assignment.assign_waiting() == 2
    assert (has(second), has(third)) == ("carla", "carla")  # 0 of 4, then 1 of 4: both less than Carl's 1 of 2
    told = AuditEntry.objects.get(verb="item_given", conversation_id=third.conversation_id)
    assert str(told.facts["because"]) == why(third) == "Carla Mendes has most room (1 of 4)"
    assert assignment.assign_waiting() == 0


def test_who_had_this_person_before_gets_them_again_unless_they_are_full(carl, carla):
    gives_out(capacity=2)
    before = make_item(author="ana")
    actions.take(before, by=carl)
    actions.resolve(before, "replied", by=carl)
    actions.take(make_item(author="ben"), by=carl)  # Carla is less busy
    again, more = make_item("And my bike?", author="ana"), make_item("And my bill?", author="ana")
    assignment.assign_waiting()
    assert (has(again), why(again)) == ("carl", "Carl Okafor had this person before")
    assert has(more) == "carla"


def test_whoever_had_them_long_ago_is_not_asked(carl):
    gives_out(sticky_days=14)
    before = make_item(author="ana")
    actions.take(before, by=carl)
    QueueItem.objects.update(last_message_at=timezone.now() - timedelta(days=15))
    takes("carl", 1)
    item = make_item(author="ana")
    assignment.assign_waiting()
    assert has(item) == "carla"


def test_language_and_skill_are_asked_for_as_long_as_somebody_may_come_who_has_them(carl, carla):
    gives_out(relax_after=30)
    takes("carl", 1, languages=["de"])
    takes("carla", languages=["en"], skills=["billing"])
    german = make_item("Wo ist mein Paket?", lang="de")
    bill = make_item("My bill is wrong", author="ben", tags=("billing",))
    assignment.assign_waiting()
    assert (has(german), why(german)) == ("carl", "Carl Okafor speaks German and has most room (0 of 1)")
    assert (has(bill), "knows “billing”" in why(bill)) == ("carla", True)
    second = make_item("Und mein Fahrrad?", author="cleo", lang="de")
    assert assignment.assign_waiting() == 0  # Carl is full
    QueueItem.objects.filter(pk=second.pk).update(waiting_since=timezone.now() - timedelta(minutes=31))
    assert assignment.assign_waiting() == 1
    assert (has(second), "nobody with German was free in time" in why(second)) == ("carla", True)


def test_nothing_is_given_to_who_is_away_or_not_here_or_when_the_department_is_closed(carl, carla, customer_service):
    gives_out(only_present=True)
    now = timezone.now()
    User.objects.filter(pk=carl.pk).update(last_seen_at=now, away_until=now + timedelta(days=1))
    item = make_item()
    assert assignment.assign_waiting() == 0
    User.objects.filter(pk=carla.pk).update(last_seen_at=now)
    customer_service.holidays = [now.date() - timedelta(days=1), now.date()]
    customer_service.save()
    assert assignment.assign_waiting() == 0
    AssignmentPolicy.objects.update(only_in_hours=False)
    assert assignment.assign_waiting() == 1
    assert has(item) == "carla"


def test_what_frees_capacity_is_answered_by_the_next_stroke(carl):
    gives_out()
    takes("carla", 0)
    takes("carl", 1)
    first, second = make_item(), make_item(author="ben", minutes_ago=5)
    assert (assignment.assign_waiting(), assignment.assign_waiting()) == (1, 0)
    actions.snooze(first, None, by=carl)
    assert (assignment.assign_waiting(), has(second)) == (1, "carl")
    assert actions.assign(make_item(author="cleo"), carl, by=carl).assignee == carl  # by hand also above


def test_a_confidential_department_gives_only_to_its_own(hana, cora):
    gives_out("hr")
    item = make_item(department="hr")
    assignment.assign_waiting()
    assert has(item) == "hana"


def test_what_is_handed_on_or_probably_nothing_is_given_to_nobody(carl, mia):
    gives_out()
    gives_out("triage")
    offered = make_item()
    actions.hand_off(offered, find("pr"), reason="expertise", by=carl)
    nothing = make_item(department="triage", probably_nothing=True, author="ben")
    assert (assignment.assign_waiting(), has(offered), has(nothing)) == (0, "nobody", "nobody")


# Taking back ------------------------------------------------------------------------------------------------------
def test_an_item_that_nothing_is_done_about_goes_to_somebody_else(carl, carla):
    gives_out(return_after=30)
    takes("carla", 0)
    idle, busy = make_item(), make_item(author="ben")
    assignment.assign_waiting()
    actions.note(busy.conversation, "I ask the depot.", by=carl)
    assert assignment.take_back_idle() == 0
    Assignment.objects.update(at=timezone.now() - timedelta(minutes=31))
    assert assignment.take_back_idle() == 1
    assert (has(idle), has(busy)) == ("nobody", "carl")
    told = AuditEntry.objects.get(verb="item_taken_back", conversation_id=idle.conversation_id)
    assert told.facts["because"] == "nothing was done about it for 30 minutes"
    assert assignment.assign_waiting() == 0  # not to Carl at once, and Carla takes nothing
    takes("carla")
    assert (assignment.assign_waiting(), has(idle), assignment.take_back_idle()) == (1, "carla", 0)


# A race ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_many_at_once_give_nothing_twice_and_nobody_too_much(monkeypatch):
    """The full one is `python -m tests.bench.assigning`."""
    monkeypatch.setattr(giving, "BATCH", 3)
    gives_out(capacity=11, only_in_hours=False)
    takes("carl", 7)
    receive(*[make_post(author=f"p{number}") for number in range(24)])
    waiting = Message.objects.select_related("conversation", "channel", "identity")
    actions.place_many(Placement(message=each, department=find("customer-service")) for each in waiting)
    with ThreadPoolExecutor(4) as workers:
        given = sum(workers.map(lambda _: give_out_elsewhere(), range(4)))
    counts = Counter(QueueItem.objects.exclude(assignee=None).values_list("assignee__username", flat=True))
    told = AuditEntry.objects.filter(verb="item_given").values_list("target_id", flat=True)
    assert (given, counts, len(set(told))) == (18, {"carl": 7, "carla": 11}, len(told))
    assert LoadChange.objects.all().recount() == []


def give_out_elsewhere():
    try:
        return sum(assignment.assign_waiting() for _ in range(15))
    finally:
        connection.close()


# Counting ---------------------------------------------------------------------------------------------------------
def test_what_people_hold_is_counted_right_whatever_happens(carl, carla, mia, cora):
    """Many verbs in any order, and after each what is counted is what there is."""
    gives_out(capacity=3)
    luck, people = random.Random(7), [carl, carla, mia, cora]
    items = [make_item(author=f"p{number}") for number in range(5)]
    for turn in range(60):
        item, by = luck.choice(items), luck.choice(people)
        act = luck.choice(ACTS)
        with suppress(Refused, PermissionDenied, Http404, QueueItem.DoesNotExist):
            act(QueueItem.objects.select_related("department", "conversation").get(pk=item.pk), by)
        if turn % 7 == 0:
            assignment.assign_waiting()
        if turn % 20 == 0:
            LoadChange.objects.all().fold()
        assert LoadChange.objects.all().recount() == [], (turn, act)


ACTS = [
    lambda item, by: actions.take(item, by=by),
    lambda item, by: actions.assign(item, None, by=by),
    lambda item, by: actions.assign(item, User.objects.get(username="carl"), by=by),
    lambda item, by: actions.resolve(item, "no_reply_needed", by=by),
    lambda item, by: actions.reopen(item, by=by),
    lambda item, by: actions.snooze(item, None, by=by),
    lambda item, by: actions.undo(item, by=by),
    lambda item, by: actions.hand_off(item, find("pr"), reason="expertise", by=by),
    lambda item, by: actions.accept(item_of(item.conversation, "pr"), by=User.objects.get(username="pia")),
    lambda item, by: answer_in(item.conversation, "Hello?"),
    lambda item, by: staff.put_back(by, by="system"),
]


def test_a_wrong_load_is_found_at_night_and_put_right(carl):
    gives_out()
    actions.take(make_item(), by=carl)
    LoadChange.objects.all().fold()
    Capacity.objects.filter(user=carl).update(load=5)
    assert assignment.recount_loads() == 1
    assert (held("carl"), assignment.recount_loads()) == (1, 0)


def test_who_took_more_by_hand_meanwhile_is_given_nothing(carl, monkeypatch):
    """Between the look at the loads and the gift Carl takes one himself: nothing is given above what he takes on."""
    gives_out()
    takes("carla", 0)
    takes("carl", 1)
    mine, other = make_item(), make_item(author="ben", minutes_ago=5)
    claim = giving._claim

    def meanwhile(department, after):
        found = claim(department, after)
        actions.take(other, by=carl)
        return found

    monkeypatch.setattr(giving, "_claim", meanwhile)
    assert (assignment.assign_waiting(), has(mine)) == (0, "nobody")


# Arranging --------------------------------------------------------------------------------------------------------
def test_a_lead_arranges_it_on_one_page_and_sees_who_comes_next(client_of, carla, carl, customer_service):
    page, carlas = f"/departments/{customer_service.slug}/assignment/", client_of(carla)
    takes("carla", languages=["en"])
    item = make_item("Wo ist mein Paket?", lang="de")
    shown = carlas.get(page).content.decode()
    assert "Wo ist mein Paket?" in shown and "Work is not given out by itself here" in shown
    carlas.post(f"{page}{carl.pk}/", {"most": "2", "languages": "DE, en", "skills": "billing"})
    sent = {"on": "on", "capacity": "5", "sticky_days": "14", "relax_after": "30", "return_after": "0"}
    assert carlas.post(page, sent).status_code == 302
    assert carlas.post(page, sent | {"capacity": "-1"}).status_code == 422
    shown = carlas.get(page).content.decode()
    assert "Goes to <b>Carl" in shown and "speaks German and has most room (0 of 2)" in shown
    assignment.assign_waiting()
    assert has(item) == "carl"
    assert "Given out: Carl Okafor speaks German" in carlas.get(item.get_absolute_url()).content.decode()


def test_programs_arrange_it_too(client_of, carla, carl, customer_service):
    path, carlas = f"/api/v1/departments/{customer_service.slug}/assignment/", client_of(carla)
    people = [{"username": "carl", "most": None, "languages": ["en"], "skills": []}]
    sent = {"on": True, "capacity": 3, "people": people}
    told = carlas.put(path, sent, content_type="application/json").json()
    assert (told["on"], told["capacity"], told["sticky_days"]) == (True, 3, 14)
    line = next(each for each in told["people"] if each["username"] == "carl")
    assert (line["load"], line["takes"], line["languages"]) == (0, 3, ["en"])
    strange = sent | {"capacity": 9, "people": [people[0] | {"username": "pia"}]}
    assert carlas.put(path, strange, content_type="application/json").status_code == 400
    assert carlas.get(path).json()["capacity"] == 3  # all or nothing
