"""The coordinator sees the whole board; what is confidential is absent from it; every number opens into its rows."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from connectors import ledger
from connectors.models import Channel, FetchRun
from departments import roles
from departments.models import User
from inbox import actions
from inbox.desk import Desk
from inbox.models import HandOff, QueueItem, Reply
from socialhub.insights.metrics import (
    FIRST_ANSWER,
    IN_TIME,
    METRICS,
    NEW,
    OFFERED,
    OPEN,
    OVERDUE,
    STUCK,
    UNASSIGNED,
    WAITING,
)
from socialhub.insights.overview import Board
from socialhub.insights.sight import Sight

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def piece(client):
    """What the open page fetches when its bell rings."""
    return client.get("/overview/", headers={"HX-Request": "true"}).content.decode()


def row_of(board, department):
    (row,) = [row for row in board.rows if row.department == department]
    return {figure.metric.key: figure.value for figure in row.figures}


@pytest.fixture
def busy(ask, late, answer, customer_service, pr, hr, rnd, triage, carl, carla, hana, mia):
    """A day with something of everything, HR among it."""
    actions.take(ask(customer_service, who="ana"), by=carl)
    late(ask(customer_service, "Three days and nobody answers"))
    late(ask(pr))
    ask(triage)
    ask(triage, probably_nothing=True)
    actions.snooze(ask(customer_service), None, by=carl)
    answer(ask(customer_service), by=carl)
    for count in range(3):
        late(ask(hr, f"I am applying, number {count}"))
    actions.hand_off(ask(customer_service), rnd, reason="expertise", by=carla)
    actions.hand_off(ask(customer_service), hr, reason="wrong_department", by=carla)
    item = ask(customer_service)
    actions.hand_off(item, hr, reason="wrong_department", by=carla)
    actions.accept(QueueItem.objects.get(conversation=item.conversation, department=hr), by=hana)
    HandOff.objects.update(at=timezone.now() - 20 * MINUTE)


# Who sees it --------------------------------------------------------------------------------------------------------
def test_carl_and_a_stranger_find_nothing_there(client_of, carl, mia, stranger):
    for person in (carl, mia, stranger):
        for address in ("/overview/", "/overview/open/", "/overview/first-answer/"):
            assert client_of(person).get(address).status_code == 404


def test_carla_sees_the_board_of_her_own_department(busy, client_of, carla, customer_service, pr):
    board = Board(Desk(carla))
    assert [row.department for row in board.rows] == [customer_service]
    text = client_of(carla).get("/overview/").content.decode()
    assert 'id="n-pr-new"' not in text
    assert "Confidential" not in text
    assert client_of(carla).get("/overview/new/?department=pr").status_code == 404
    assert client_of(carla).get("/overview/new/?department=customer-service").status_code == 200


def test_ada_sees_the_same_ordinary_figures_as_cora(busy, cora, ada):
    for metric in METRICS.values():
        assert metric.of(ada) == metric.of(cora)


# It moves -----------------------------------------------------------------------------------------------------------
def test_cora_sees_the_board_move(ask, client_of, cora, customer_service, triage):
    client = client_of(cora)
    before = client.get("/overview/").content.decode()
    assert f"queue:{customer_service.pk}" in before and f"queue:{triage.pk}" in before and ' channels"' in before
    assert "Nothing fell between" in before
    ask(triage, "Does anybody own this?")
    after = piece(client)
    assert "<html" not in after
    assert "lies in Triage." in after
    assert "Does anybody own this?" in after
    assert 'id="n-triage-open"' in after and 'id="n-triage-open"' not in before


def test_the_same_page_is_whole_again_for_the_back_button(client_of, cora):
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in client_of(cora).get("/overview/", headers=headers).content.decode()


def test_who_is_here_stands_in_the_row_of_their_department(cora, carl, carla, pia, customer_service, pr):
    User.objects.filter(pk__in=[carl.pk, carla.pk]).update(last_seen_at=timezone.now())
    User.objects.filter(pk=pia.pk).update(last_seen_at=timezone.now() - 6 * MINUTE)
    here = {row.department: row.people for row in Board(Desk(cora)).rows}
    assert here[customer_service] == [carl, carla]
    assert here[pr] == []


def test_a_house_without_departments_has_a_calm_board(empty_house, client_of):
    first = User.objects.create_user("first", name="First Admin")
    roles.give_house(first, roles.HouseRole.ADMIN)
    answer = client_of(first).get("/overview/")
    assert answer.status_code == 200
    assert "There are no departments yet" in answer.content.decode()


# What is confidential -----------------------------------------------------------------------------------------------
def test_hr_is_named_with_a_lock_and_has_no_figure_for_cora_nor_for_ada(busy, client_of, cora, ada, hr):
    for person in (cora, ada):
        board = Board(Desk(person))
        assert board.locked == [hr]
        assert hr not in [row.department for row in board.rows]
        text = client_of(person).get("/overview/").content.decode()
        assert "Confidential. Its figures are seen within HR alone." in text
        assert str(hr.pk) not in text
        assert "number 1" not in text
        assert client_of(person).get("/overview/new/?department=hr").status_code == 404


def test_hrs_work_changes_no_number_of_coras(ask, late, busy, cora, customer_service, hr, hana, carla):
    def numbers():
        return {key: metric.of(cora) for key, metric in METRICS.items()}

    before = numbers()
    offered = ask(hr)
    late(ask(hr))
    actions.hand_off(offered, customer_service, reason="other", by=hana)
    assert numbers() == before


def test_what_hr_accepts_disappears_from_coras_board(ask, cora, carla, hana, customer_service, hr):
    item = ask(customer_service, "Your team lead shouts at me")
    actions.hand_off(item, hr, reason="wrong_department", by=carla)
    assert OPEN.of(cora) == NEW.of(cora) == 1
    actions.accept(QueueItem.objects.get(conversation=item.conversation, department=hr), by=hana)
    assert OPEN.of(cora) == NEW.of(cora) == 0
    board = Board(Desk(cora))
    assert (board.latest, board.flows, board.gaps) == ([], [], [])


def test_hana_sees_hrs_figures(busy, client_of, hana, hr, customer_service):
    board = Board(Desk(hana))
    assert row_of(board, hr) == {"new": 5, "open": 5, "overdue": 3, "unassigned": 5, "waiting": 0}
    assert [(flow.giver, flow.taker, flow.number) for flow in board.flows] == [(customer_service, hr, 2)]
    text = client_of(hana).get("/overview/").content.decode()
    assert "number 1" in text and "Confidential" not in text


def test_whoever_is_in_hr_as_well_sees_its_row_among_the_others(busy, cora, hr):
    roles.give(cora, hr, roles.Role.READER)
    board = Board(Desk(User.objects.get(pk=cora.pk)))
    assert board.locked == []
    assert row_of(board, hr)["open"] == 5


# A number is defined once -------------------------------------------------------------------------------------------
def counted(metric, sight):
    rows = metric.rows(sight)
    if metric is FIRST_ANSWER:
        waits = sorted(each.waited for each in rows)
        return waits[len(waits) // 2] if len(waits) % 2 else None
    if metric is IN_TIME:
        kept = [each.sent_at <= each.due_at for each in rows]
        return sum(kept) / len(kept) if kept else None
    return len(set(rows))


@pytest.mark.parametrize("key", METRICS)
def test_a_number_equals_the_rows_that_it_opens_into(key, busy, client_of, cora, carla, hana):
    for person in (cora, carla, hana):
        sight = Sight(Desk(person))
        metric = METRICS[key]
        assert metric.value(sight) == counted(metric, sight)
        assert client_of(person).get(reverse("overview-rows", args=[key])).status_code == 200


def test_the_numbers_are_what_happened(busy, cora):
    board = Board(Desk(cora))
    numbers = {figure.metric: figure.value for figure in board.figures}
    # Customer service: Ana's, a late one, one handed to R&D, one offered to HR; one is snoozed, one is answered.
    assert (numbers[OPEN], numbers[NEW], numbers[OVERDUE], numbers[UNASSIGNED]) == (7, 9, 2, 6)
    assert (WAITING.of(cora), OFFERED.of(cora), STUCK.of(cora)) == (2, 1, 1)
    assert numbers[IN_TIME] == 1.0


def test_each_cell_of_the_table_opens_rows_of_its_own_number(busy, client_of, cora):
    client = client_of(cora)
    for row in Board(Desk(cora)).rows:
        for figure in row.figures:
            answer = client.get(figure.url)
            rows = answer.context.get("items", answer.context.get("rows"))
            assert len(rows) == figure.value, (row.department, figure.metric.key)


def test_the_rows_page_says_what_the_number_means_and_leads_to_the_conversation(busy, client_of, cora):
    text = client_of(cora).get("/overview/overdue/").content.decode()
    assert "whose time to answer has run out" in text
    assert "Three days and nobody answers" in text
    assert client_of(cora).get("/overview/never-defined/").status_code == 404


def test_a_person_waits_from_their_first_post_on(ask, answer, carla, ravi, cora, customer_service, rnd):
    item = ask(customer_service)
    asked = timezone.now() - 90 * MINUTE
    item.clocks.update(started_at=asked, due_at=asked + 60 * MINUTE)
    actions.hand_off(item, rnd, reason="expertise", by=carla)
    taken = actions.accept(QueueItem.objects.get(conversation=item.conversation, department=rnd), by=ravi)
    reply = answer(taken, by=ravi)
    assert FIRST_ANSWER.of(cora) == reply.sent_at - asked
    # R&D's own clock began when it was asked, and has two days: it kept its promise.
    assert IN_TIME.of(cora) == 1.0


def test_a_second_answer_is_no_first_one(ask, answer, carl, cora, customer_service):
    item = ask(customer_service)
    first = answer(item, by=carl)
    Reply.objects.filter(pk=first.pk).update(sent_at=first.sent_at - 30 * MINUTE)
    answer(QueueItem.objects.get(pk=item.pk), by=carl, text="And it arrives tomorrow.")
    assert [each.pk for each in FIRST_ANSWER.rows(Sight(Desk(cora)))] == [first.pk]


def test_a_program_reads_the_same_numbers_with_their_definitions(busy, client_of, cora, carl, hr):
    told = client_of(cora).get("/api/v1/reports/overview/").json()
    figures = {each["key"]: each for each in told["figures"]}
    assert figures["open"]["value"] == OPEN.of(cora)
    assert figures["overdue"]["definition"] == OVERDUE.definition
    assert [each["new"] for each in told["departments"]] == [sum(each["hours"]) for each in told["departments"]]
    assert "hr" not in [each["department"] for each in told["departments"]]
    assert client_of(carl).get("/api/v1/reports/overview/").status_code == 404


# Between departments ------------------------------------------------------------------------------------------------
def gaps_of(person):
    return {gap.key: gap for gap in Board(Desk(person)).gaps}


def test_an_offer_falls_between_after_a_quarter_of_an_hour(ask, cora, carla, ravi, customer_service, rnd):
    actions.hand_off(ask(customer_service), rnd, reason="expertise", by=carla)
    assert "stuck" not in gaps_of(cora)
    HandOff.objects.update(at=timezone.now() - 16 * MINUTE)
    gap = gaps_of(cora)["stuck"]
    assert (gap.number, gap.rest) == (1, "Customer service to R&D, since")
    assert gaps_of(ravi)["stuck"].number == 1


def test_an_offer_to_hr_is_nobodys_figure_outside_hr(ask, cora, carla, hana, customer_service, hr):
    actions.hand_off(ask(customer_service), hr, reason="other", by=carla)
    HandOff.objects.update(at=timezone.now() - 16 * MINUTE)
    assert "stuck" not in gaps_of(cora) and "stuck" not in gaps_of(carla)
    assert gaps_of(hana)["stuck"].number == 1


def test_what_goes_round_is_for_cora_to_decide(ask, cora, carla, ravi, customer_service, rnd, client_of):
    item = ask(customer_service, "The map of seats is upside down", who="sam")
    for _ in range(2):
        actions.hand_off(item, rnd, reason="expertise", by=carla)
        actions.decline(QueueItem.objects.get(conversation=item.conversation, department=rnd), by=ravi)
    gap = gaps_of(cora)["round"]
    assert (gap.number, gap.rest) == (1, "sam, “The map of seats is upside down”.")
    assert client_of(cora).get(gap.url).status_code == 200


def test_a_channel_that_nobody_speaks_through_is_a_gap_until_somebody_does(channel, cora, customer_service):
    channel.speakers.clear()
    assert gaps_of(cora)["mute"].rest == "no department answers as Mirabelo."
    channel.speakers.add(customer_service)
    assert "mute" not in gaps_of(cora)


def test_posts_in_quarantine_are_a_gap_for_those_who_may_look_at_them(channel, cora, carla, customer_service):
    ledger.quarantine(ledger.start(channel, FetchRun.Via.PUSH), [({"id": 1}, "It has no text")])
    assert gaps_of(cora)["laid-aside"].number == 1
    assert "laid-aside" not in gaps_of(carla)


def test_a_reply_that_may_not_have_arrived_alarms(ask, answer, carl, cora, customer_service):
    answer(ask(customer_service), by=carl)
    Reply.objects.update(state=Reply.State.NEEDS_PERSON)
    assert gaps_of(cora)["stranded"].alarm


def test_a_missing_stretch_is_said_in_its_own_words(channel, client_of, cora):
    run = ledger.start(channel, FetchRun.Via.POLL)
    run.gap = "24 minutes are missing, from 13:42 to 14:06."
    ledger.finish(run)
    text = client_of(cora).get("/overview/").content.decode()
    assert "24 minutes are missing, from 13:42 to 14:06." in text


def test_hand_offs_can_be_read_as_a_table(ask, client_of, cora, carla, customer_service, rnd):
    for _ in range(3):
        actions.hand_off(ask(customer_service), rnd, reason="expertise", by=carla)
    assert "Customer service to R&amp;D: 3" in client_of(cora).get("/overview/").content.decode()
    table = client_of(cora).get("/overview/?hand-offs=table").content.decode()
    assert '<td class="r">3</td>' in table and "sankey" not in table


# It stays quick -----------------------------------------------------------------------------------------------------
BOARD_READS = 15  # twelve of its own; session, person and rights for who asks
PAGE_READS = BOARD_READS + 2  # the frame around it: the house’s name, and how many notices wait
ROWS_READS = 8


def test_the_board_costs_the_same_reads_whatever_it_holds(
    busy, ask, client_of, cora, carla, customer_service, rnd, django_assert_num_queries
):
    client = client_of(cora)
    client.get("/overview/")
    with django_assert_num_queries(BOARD_READS):
        piece(client)
    for number in range(30):
        Channel.objects.create(slug=f"more-{number}", name=f"More {number}", network="demo")
        item = ask(customer_service)
        if number % 2:
            actions.hand_off(item, rnd, reason="expertise", by=carla)
    with django_assert_num_queries(BOARD_READS):
        piece(client)
    cache.clear()
    with django_assert_num_queries(PAGE_READS):
        client.get("/overview/")


def test_the_rows_cost_the_same_reads_for_few_and_for_many(
    ask, client_of, cora, customer_service, django_assert_num_queries
):
    client = client_of(cora)
    ask(customer_service)
    client.get("/overview/new/")
    with django_assert_num_queries(ROWS_READS):
        client.get("/overview/new/")
    for _ in range(20):
        ask(customer_service)
    with django_assert_num_queries(ROWS_READS):
        client.get("/overview/new/")


def test_rows_go_on_page_by_page(ask, client_of, cora, customer_service, pr, monkeypatch):
    monkeypatch.setattr("socialhub.insights.views.PAGE", 2)
    items = {ask(department).pk for department in (customer_service, pr, customer_service, pr, pr)}
    seen, address = set(), "/overview/new/"
    while address:
        answer = client_of(cora).get(address)
        seen |= {item.pk for item in answer.context["rows"]}
        further = answer.context["next_url"]
        address = f"/overview/new/{further}" if further else ""
    assert seen == items
