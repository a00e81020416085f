"""The ledger's page: each visit, what may be missing as stretches of time, and what it costs."""

import html
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions, budgets, ledger, polling, registry, timeline
from connectors.contract import Batch, Limits
from connectors.errors import BudgetSpent, Unreachable
from connectors.models import Channel, FetchRun, Usage
from tests.connectors.conftest import Scripted

NOW = datetime(2026, 11, 24, 14, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def channel(scripted):
    Channel.objects.update(last_ok_at=NOW)
    scripted.refresh_from_db()
    return scripted


@pytest.fixture
def read(ada, client_of):
    """`read(show="all")`: the page as Ada reads it."""
    client = client_of(ada)

    def read(**query):
        return html.unescape(client.get(reverse("channel-ledger", kwargs={"slug": "scripted"}), query).content.decode())

    return read


def visit(channel, at=NOW, **what):
    return FetchRun.objects.create(
        channel=channel, **({"outcome": "ok", "started": at, "finished": at + HOUR / 60} | what)
    )


def drawn(channel, code="24h", now=NOW):
    return timeline.of(channel, timeline.SPANS[code], now)


# The drawing ------------------------------------------------------------------------------------------------------


def test_visits_are_counted_in_steps_of_which_the_last_is_under_way(channel):
    visit(channel, read=4, taken_in=3, quarantined=1)
    visit(channel, NOW - timedelta(minutes=7), outcome="failed")
    visit(channel, NOW - timedelta(minutes=5), read=2, taken_in=2)
    line = drawn(channel)
    assert (line.until - line.since, line.until, len(line.steps)) == (24 * HOUR, NOW.replace(minute=30), 48)
    last, before = line.steps[-1], line.steps[-2]
    assert (last.visits, last.failed, last.seen, last.new, last.aside) == (2, 0, 6, 5, 1)
    assert (before.visits, before.failed, before.new) == (1, 1, 0)
    assert last.high > before.high == 0 and last.x + last.wide <= timeline.WIDE
    assert line.sentence == "3 visits in 24 hours, 1 of them failed; 5 new posts. No gap is open."
    assert [each.at for each in line.busy] == [last.at, before.at]


@pytest.mark.parametrize(("code", "steps"), [("24h", 48), ("7d", 84), ("30d", 60)])
def test_each_span_asks_twice_however_much_there_is(channel, django_assert_num_queries, code, steps):
    for number in range(40):
        visit(channel, NOW - number * HOUR, taken_in=1, gap="x" if number % 3 else "")
    with django_assert_num_queries(2):
        assert len(drawn(channel, code).steps) == steps


def test_a_gap_is_red_until_it_is_closed(channel, inbox):
    visit(channel, gap="Only the newest 800 are shown.", gap_since=NOW - 6 * HOUR, gap_until=NOW - 3 * HOUR)
    [gap] = drawn(channel).stretches
    assert (gap.kind, gap.since, gap.until) == ("open", NOW - 6 * HOUR, NOW - 3 * HOUR)
    assert gap.wide == pytest.approx(timeline.WIDE * 3 / 24, abs=0.1)
    assert drawn(channel).sentence.endswith("1 possible gap.")
    Scripted.answers = [Batch((), {}, covered=(NOW - 5 * HOUR, NOW))]
    polling.poll(channel, inbox)
    assert [each.kind for each in drawn(channel).stretches] == ["open"]
    Scripted.answers = [Batch((), {}, covered=(NOW - 7 * HOUR, NOW))]
    channel.refresh_from_db()
    polling.poll(channel, inbox)
    assert [each.kind for each in drawn(channel).stretches] == ["closed"]
    assert drawn(channel).sentence.endswith("No gap is open.")


def test_a_gap_without_known_times_lies_before_the_visit_that_noticed_it_and_can_be_seen(channel):
    visit(channel, gap="Nobody knows how much.")
    for code in timeline.SPANS:
        [gap] = drawn(channel, code).stretches
        assert gap.until == NOW and gap.wide >= timeline.LEAST and gap.x + gap.wide <= timeline.WIDE + 0.1


def test_an_open_gap_of_last_month_is_told_still_and_a_closed_one_no_more(channel):
    long_ago = NOW - timedelta(days=40)
    visit(channel, long_ago, gap="Old", gap_since=long_ago - HOUR, gap_until=long_ago)
    visit(channel, long_ago, gap="Mended", gap_since=long_ago - HOUR, gap_until=long_ago, gap_closed_at=long_ago + HOUR)
    assert [each.words for each in drawn(channel).stretches] == ["Old"]


def test_what_is_not_read_yet_is_drawn_while_the_network_does_not_answer(channel, inbox):
    Scripted.answers = [Unreachable()]
    polling.poll(channel, inbox)
    channel.refresh_from_db()
    now = timezone.now()
    channel.last_ok_at = now - 2 * HOUR
    [waiting] = drawn(channel, now=now).stretches
    assert (waiting.kind, waiting.since, waiting.until) == ("waiting", now - 2 * HOUR, now)


# The page ---------------------------------------------------------------------------------------------------------


def test_the_ledger_leaves_out_quiet_visits_unless_asked_and_turns_its_pages(channel, read):
    now = timezone.now()
    visit(channel, now, detail="a quiet one")
    for number in range(55):
        visit(channel, now - number * timedelta(minutes=1), outcome="failed", detail=f"visit-{number};")
    first = read()
    assert "a quiet one" not in first and "visit-0;" in first and "visit-49;" in first and "visit-50;" not in first
    assert "a quiet one" in read(show="all")
    earlier = first.split("before=")[1].split('"')[0]
    second = read(before=earlier)
    assert "visit-49;" not in second and "visit-50;" in second and "visit-54;" in second and "Newest" in second
    assert "Nothing before this" in read(before=FetchRun.objects.order_by("started").first().pk)


def test_lines_are_chosen_by_what_came_of_them_and_how_they_came(channel, read):
    now = timezone.now()
    visit(channel, now, outcome="failed", detail="no-answer;")
    visit(channel, now, quarantined=2, read=2, detail="unreadable;", via="push")
    visit(channel, now, gap="a hole", detail="holey;")
    for query, seen in (
        ({"show": "failed"}, ["no-answer;"]),
        ({"show": "quarantined"}, ["unreadable;"]),
        ({"show": "gaps"}, ["holey;"]),
        ({"via": "push"}, ["unreadable;"]),
        (
            {"show": "made-up", "via": "made-up", "span": "made-up", "before": "x"},
            ["no-answer;", "unreadable;", "holey;"],
        ),
    ):
        page = read(**query)
        assert [each for each in ("no-answer;", "unreadable;", "holey;") if each in page] == seen, query
    FetchRun.objects.all().delete()
    assert "None failed, as far back as the ledger reaches." in read(show="failed")
    assert "Nothing was left out" in read(show="gaps") and "No visit yet" in read(show="all")


def test_progress_limits_and_the_next_look_stand_on_the_page(channel, read, inbox):
    until = timezone.now() + HOUR
    Scripted.answers = [Batch((), {}, progress=0.4, limits=Limits(12, 300, until))]
    polling.poll(channel, inbox)
    page = read()
    assert "40\u202f% done" in page and "12 of 300 requests left until" in page and "Next look" in page
    channel.refresh_from_db()
    channel.limits["reset"] = (timezone.now() - HOUR).isoformat()
    assert channel.allowance is None


def test_who_may_not_inspect_finds_no_ledger(channel, carl, cora, client_of, customer_service):
    address = reverse("channel-ledger", kwargs={"slug": "scripted"})
    assert client_of(carl).get(address).status_code == 404
    channel.monitors.add(customer_service)
    assert client_of(carl).get(address).status_code == 403
    assert client_of(cora).get(address).status_code == 200
    piece = client_of(cora).get(address, headers={"HX-Request": "true"}).content.decode()
    assert piece.startswith('<div class="page-in') and "<html" not in piece


# What it costs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def gate(house, monkeypatch):
    monkeypatch.setitem(registry.NETWORKS, "gate", "tests.connectors.gate.Gate")
    return actions.open_channel(network="gate", slug="gate", name="Gate", credentials={"token": "t"}, by="system")


def test_the_budget_and_what_is_used_of_it_stand_on_the_channels_page(gate, ada, client_of):
    today = timezone.now().date()
    Usage.objects.add(gate, 2.5, today)
    Usage.objects.add(gate, 4, today.replace(day=1) - timedelta(days=1))
    run = ledger.start(gate, FetchRun.Via.POLL)
    ledger.used(run, 0.75)
    ledger.finish(run)
    for name in ("channel", "channel-ledger"):
        page = client_of(ada).get(reverse(name, kwargs={"slug": "gate"})).content.decode()
        assert "US$\u202f3.25 of US$\u202f10.00 this month" in page, name
    spending = budgets.spending(gate)
    assert (spending.share, spending.is_spent) == (0.325, False)
    actions.change_channel(gate, settings={"budget": 3}, by="system")
    gate.refresh_from_db()
    assert budgets.spending(gate).is_spent
    with pytest.raises(BudgetSpent):
        budgets.check(gate, gate.connector())


def test_what_a_network_suggests_as_budget_holds_without_being_set(gate):
    assert "budget" not in gate.settings
    Usage.objects.add(gate, 10, timezone.now().date())
    with pytest.raises(BudgetSpent):
        budgets.check(gate, gate.connector())


def test_a_channel_that_costs_nothing_says_nothing_of_it(channel, read):
    assert budgets.spending(channel) is None and "counts anew" not in read()


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [(0.416, "US$", "US$\u202f0.42"), (1200, "units", "1\u202f200 units"), (0, "units", "0 units")],
)
def test_money_has_cents_and_units_are_counted(amount, unit, said):
    assert budgets.spoken(amount, unit) == said
