"""When customer service is there: by its own clock, over midnight, on holidays, and when clocks change."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from departments.audit import sentence
from departments.hours import DAYS, is_open, minutes_open_between, open_at
from departments.models import AuditEntry

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {day: [["09:00", "12:30"], ["13:30", "17:00"]] for day in DAYS[:5]}
NIGHT = {day: [["22:00", "06:00"]] for day in DAYS}


@dataclass
class Desk:
    hours: dict = field(default_factory=dict)
    time_zone: str = "Europe/Berlin"
    holidays: list = field(default_factory=list)
    slug: str = "customer-service"


def there(written: str, fold: int = 0) -> datetime:
    """A moment by the clock of Berlin. 2026-03-02 is a Monday."""
    return datetime.fromisoformat(written).replace(tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    "moment, there_are_people",
    [
        ("2026-03-02T08:59", False),
        ("2026-03-02T09:00", True),
        ("2026-03-02T12:29", True),
        ("2026-03-02T12:30", False),
        ("2026-03-02T13:30", True),
        ("2026-03-02T17:00", False),
        ("2026-03-07T10:00", False),  # a Saturday
    ],
)
def test_office_hours_with_a_break_at_noon(moment, there_are_people):
    assert is_open(Desk(OFFICE), there(moment)) is there_are_people


def test_it_is_asked_by_the_departments_own_clock():
    nine_in_berlin = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert is_open(Desk(OFFICE), nine_in_berlin)
    assert not is_open(Desk(OFFICE, "America/New_York"), nine_in_berlin)


def test_without_hours_it_is_always_open_but_for_holidays():
    christmas = Desk(holidays=[date(2026, 12, 25)])
    assert is_open(Desk(), there("2026-03-08T03:00"))
    assert is_open(christmas, there("2026-12-24T23:59"))
    assert not is_open(christmas, there("2026-12-25T00:00"))
    assert is_open(christmas, there("2026-12-26T00:00"))


def test_a_night_belongs_to_the_day_on_which_it_began():
    friday_nights = Desk({"fri": [["22:00", "06:00"]]})
    assert is_open(friday_nights, there("2026-03-06T23:00"))
    assert is_open(friday_nights, there("2026-03-07T05:59"))
    assert not is_open(friday_nights, there("2026-03-07T23:00"))
    on_holiday = Desk(NIGHT, holidays=[date(2026, 3, 6)])
    assert is_open(on_holiday, there("2026-03-06T05:00")), "Thursday’s night is worked to its end"
    assert not is_open(on_holiday, there("2026-03-07T05:00")), "Friday’s never began"


def test_a_spell_that_ends_when_it_begins_lasts_a_whole_day():
    monday = Desk({"mon": [["00:00", "00:00"]]})
    assert minutes_open_between(monday, there("2026-03-01T00:00"), there("2026-03-04T00:00")) == 24 * 60


@pytest.mark.parametrize("night, minutes", [("2026-03-28", 7 * 60), ("2026-10-24", 9 * 60), ("2026-06-06", 8 * 60)])
def test_a_night_in_which_clocks_change_is_an_hour_shorter_or_longer(night, minutes):
    evening = there(f"{night}T12:00")
    assert minutes_open_between(Desk(NIGHT), evening, evening + timedelta(hours=24)) == minutes
    assert is_open(Desk(NIGHT), there("2026-10-25T02:30", fold=1))
    assert not is_open(Desk(OFFICE), there("2026-10-26T17:00")), "it closes at five by the clock on the wall"


def test_those_who_are_there_are_told_by_slug():
    desks = [Desk(OFFICE, slug="pr"), Desk(NIGHT, slug="rnd"), Desk(slug="hr")]
    assert open_at(desks, there("2026-03-02T10:00")) == {"pr", "hr"}
    assert open_at(desks, there("2026-03-02T23:00")) == {"rnd", "hr"}


TIMES = st.times().map(lambda at: at.strftime("%H:%M"))
HOURS = st.dictionaries(st.sampled_from(DAYS), st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=2), min_size=1)


@settings(max_examples=25, deadline=None)
@given(hours=HOURS, day=st.sampled_from([date(2026, 3, 28), date(2026, 10, 24), date(2026, 6, 1)]))
def test_the_minutes_that_are_counted_are_those_at_which_it_is_open(hours, day):
    desk = Desk({day: [list(spell) for spell in spells] for day, spells in hours.items()})
    begins = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    minutes = [begins + timedelta(minutes=many) for many in range(50 * 60)]
    counted = minutes_open_between(desk, begins, begins + timedelta(minutes=len(minutes)))
    assert counted == sum(is_open(desk, each) for each in minutes)


# The page -------------------------------------------------------------------------------------------------------
def week(**more):
    """What the form sends: every field of it, most of them empty."""
    empty = {f"{day}-{number}-{end}": "" for day in DAYS for number in (1, 2) for end in ("from", "to")}
    filled = {name if name in ALONE else name.replace("_", "-"): value for name, value in more.items()}
    return empty | ALONE | filled


ALONE = {"time_zone": "UTC", "holidays": ""}


PAGE = "/departments/customer-service/hours/"


@pytest.mark.django_db
def test_carla_says_when_her_people_are_there_and_the_audit_tells(client_of, carla, customer_service):
    said = week(
        time_zone="Europe/Berlin", holidays="2026-12-26\n 2026-12-25", mon_1_from="13:30", mon_1_to="17:00",
        mon_2_from="09:00", mon_2_to="12:30", fri_1_from="22:00", fri_1_to="06:00",
    )  # fmt: skip
    client = client_of(carla)
    assert client.post(PAGE, said).status_code == 302
    customer_service.refresh_from_db()
    assert customer_service.hours == {"mon": [["09:00", "12:30"], ["13:30", "17:00"]], "fri": [["22:00", "06:00"]]}
    assert customer_service.holidays == [date(2026, 12, 25), date(2026, 12, 26)]
    told = sentence(AuditEntry.objects.latest("id"))
    assert told == "Carla Mendes changed when Customer service is there: time zone, holidays, hours"
    shown = client.get(PAGE).content.decode()
    assert 'value="13:30"' in shown and "2026-12-25\n2026-12-26" in shown


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong, sentence_at_the_field",
    [
        ({"mon_1_from": "09:00"}, "Say until when."),
        ({"mon_1_to": "09:00"}, "Say from when."),
        ({"mon_1_from": "half nine", "mon_1_to": "10:00"}, "Enter a valid time."),
        ({"mon_1_from": "09:00", "mon_1_to": "13:00", "mon_2_from": "12:00", "mon_2_to": "15:00"}, "The second spell"),
        ({"mon_1_from": "20:00", "mon_1_to": "06:00", "mon_2_from": "23:00", "mon_2_to": "23:30"}, "The second spell"),
        ({"holidays": "2026-12-25\nChristmas"}, "“Christmas” is no date"),
        ({"time_zone": "Mars/Base"}, "Select a valid choice"),
    ],
)
def test_what_is_no_week_is_told_at_its_field(client_of, carla, customer_service, wrong, sentence_at_the_field):
    answer = client_of(carla).post(PAGE, week(**wrong))
    assert sentence_at_the_field in answer.content.decode()
    customer_service.refresh_from_db()
    assert (customer_service.hours, customer_service.holidays) == ({}, [])
