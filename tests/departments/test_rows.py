"""Many rows in one statement: what is given is what lies there, to the letter."""

import time
from datetime import UTC, datetime
from uuid import RFC_4122, UUID, uuid4

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from departments import rows
from departments.models import AuditEntry, Department

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)
ODD = ["It's “50 %s” \\ off", 'a "quote"', "two\nlines\t", "\\N", "", "é 配送 🚲", "null", "{1,2}"]
SAME = {"at": AT, "agent": "system", "verb": "signed_in", "target_type": "tests.odd", "facts": {"rule": "It's"}}


def kept():
    return AuditEntry.objects.filter(target_type="tests.odd").order_by("id")


def test_what_people_write_comes_back_as_they_wrote_it():
    ids = [uuid4() for _ in ODD]
    given = [{"target_id": text, "conversation_id": id} for text, id in zip(ODD, ids, strict=True)]
    with CaptureQueriesContext(connection) as asked:
        rows.insert(AuditEntry, given, same=SAME)
    assert len(asked) == 1
    assert list(kept().values_list("target_id", "conversation_id")) == list(zip(ODD, ids, strict=True))
    assert {(each.at, each.by, each.department, each.facts["rule"]) for each in kept()} == {(AT, None, None, "It's")}
    assert set(AuditEntry.objects.filter(target_id__among=ODD[:3])) == set(kept()[:3])
    assert set(AuditEntry.objects.filter(conversation_id__among=ids[2:4])) == set(kept()[2:4])


@pytest.mark.parametrize("text", ["no \x00 in text", "half \ud83d a sign", "far too long" * 4])
def test_what_the_database_can_not_hold_is_refused_and_not_cut(text):
    with pytest.raises((DataError, TypeError)), transaction.atomic():
        rows.insert(AuditEntry, [{"target_id": "1"}, {"target_id": text}], same=SAME)
    assert not kept().exists()


def test_what_is_there_already_stops_the_rest_or_is_left_as_it_is():
    given = [{"id": uuid4(), "slug": slug, "name": slug.title(), "hue": "red"} for slug in ("legal", "events")]
    rows.insert(Department, given[:1])
    again = [given[0] | {"id": uuid4(), "name": "Other"}, given[1]]
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(Department, again)
    rows.insert(Department, again, unless_there=True)
    assert dict(Department.objects.filter(slug__among=["legal", "events"]).values_list("slug", "name")) == {
        "legal": "Legal",
        "events": "Events",
    }


def test_an_update_changes_what_it_names_and_nothing_else():
    given = [{"id": uuid4(), "slug": slug, "name": slug, "hue": "red"} for slug in ("legal", "events", "sales")]
    rows.insert(Department, given)
    told = [{"id": each["id"], "name": f"{each['name']}!"} for each in given[:2]]
    rows.update(Department, told, same={"hue": "blue"})
    found = Department.objects.filter(id__among=[each["id"] for each in given]).order_by("name")
    assert list(found.values_list("slug", "name", "hue")) == [
        ("events", "events!", "blue"),
        ("legal", "legal!", "blue"),
        ("sales", "sales", "red"),
    ]


def test_new_ids_lie_in_the_order_in_which_they_were_made_and_tell_when():
    before = time.time()
    made = [UUID(each) for each in [*rows.new_ids(1000), rows.new_id()]]
    assert made == sorted(set(made)) and {(each.version, each.variant) for each in made} == {(7, RFC_4122)}
    assert len({each.int & (1 << 62) - 1 for each in made}) == len(made)  # and a part of each is drawn
    assert all(before - 0.01 <= (each.int >> 80) / 1000 <= time.time() + 0.01 for each in made)


def test_no_rows_are_no_statement():
    with CaptureQueriesContext(connection) as asked:
        rows.insert(Department, [])
        rows.update(Department, [])
    assert not asked and not Department.objects.filter(slug__among=[])
