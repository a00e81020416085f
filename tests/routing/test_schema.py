"""The form of rules, for those who write them elsewhere."""

import io
import json

import jsonschema
import pytest
from django.core.management import call_command

from routing.conditions import Refused
from routing.rules import read_rules, schema
from routing.starter import shipped
from tests.routing.posts import KNOWN, says

GOOD = {"uid": "a", "name": "A", "when": says("a"), "then": {"stop": True}}


def test_the_rules_that_every_house_begins_with_have_it():
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(shipped(), schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"when": {"op": "any", "value": ["a"]}},
        {"when": {"field": "mood_of_the_moon"}},
        {"when": {"all": []}},
        {"when": {"field": "text", "op": "regex", "value": "x" * 513}},
        {"when": {"field": "followers", "op": "between", "value": [1]}},
        {"then": {"explode": True}},
        {"then": {"snooze": 0}},
    ],
)
def test_what_does_not_have_it_is_refused_too(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([GOOD | wrong], schema())
    with pytest.raises(Refused):
        read_rules([GOOD | wrong], KNOWN)


def test_it_can_be_asked_for(client_of, mia):
    told = io.StringIO()
    call_command("rule_schema", stdout=told)
    assert json.loads(told.getvalue()) == client_of(mia).get("/api/v1/rule-sets/schema/").json() == schema()
