"""How long a back-test of all that came in takes, from being asked for to its result: by somebody who sees everything,
two versions of a hundred rules, of which half of the posts fit one, and what the model said kept of every message."""

import time
from collections.abc import Iterator

from django.db import connection

from departments import actions as people
from departments.models import Department, User
from departments.roles import Role
from routing import actions as rules
from routing.models import BackTest, RoutingModel, RuleSetVersion
from socialhub import pipeline
from tests.bench.figures import Figure
from tests.bench.filling import WORDS

NAME = "back_test"
#: The figure speaks of so many conversations; a smaller house has no such figure.
LEAST = 100_000
RULES = 100

_SCORES = """
    INSERT INTO routing_messagescores (message_id, revision, model_id, language, mood, labels, at)
    SELECT id, revision, %s, 'en', 0, '[["customer-service", 0.55], ["pr", 0.2]]', now() FROM inbox_message
"""


def measure(least: int) -> Iterator[Figure]:
    """In a copy of the house: two versions, all scores, one trial. The floor is to read the same messages and no
    more."""
    if least < LEAST:
        return
    asker, version = _settle()
    bare = _read_only()
    trial = rules.back_test(version, {"days": 365}, by=asker)
    began, spent = time.monotonic(), time.process_time()
    pipeline.back_test()
    seconds, spent = time.monotonic() - began, time.process_time() - spent
    trial = BackTest.objects.get(pk=trial.pk)
    assert trial.state == BackTest.State.DONE, trial.trouble
    told = trial.result
    assert told["conversations"] >= least and told["moved"] and not told["unscored"], told["conversations"]
    many = f"{told['conversations']:,} conversations, {told['messages']:,} messages, {told['moved']:,} moved"
    detail = f"{many}; {spent:.0f} s of CPU"
    yield Figure(NAME, seconds, bare, detail)


def _settle() -> tuple[User, RuleSetVersion]:
    asker = User.objects.get(username="cora")
    for department in Department.objects.open().filter(confidential=True):
        people.give_role(asker, department, Role.READER, by="system")
    rule_set = rules.found_rule_set(by="system")
    rules.publish(rule_set, [_rule(number, number % 5) for number in range(RULES)], by="system")
    version = rules.draft(rule_set, [_rule(number, number % 4) for number in range(RULES)], by="system")
    model = RoutingModel.objects.filter(state=RoutingModel.State.LIVE).first()
    model = model or RoutingModel.objects.create(number=1, state=RoutingModel.State.LIVE, artefact=b"", sha256="")
    with connection.cursor() as cursor:
        cursor.execute(_SCORES, [model.pk])
        cursor.execute("ANALYZE routing_messagescores")
    return User.objects.get(pk=asker.pk), version


def _rule(number: int, place: int) -> dict:
    """Three words each, of which every third rule has one that is said in this house: half of the posts fit some rule,
    as they do where rules are measured alone (tests/bench/deciding.py)."""
    said = WORDS[number * 3 : number * 3 + 3]
    words = [word if number % 3 == 0 and not place_in_rule else f"{word}x" for place_in_rule, word in enumerate(said)]
    return {
        "uid": f"rule{number}",
        "name": f"Rule {number}",
        "when": {"field": "text", "op": "any", "value": words},
        "then": {"place": ("customer-service", "pr", "marketing", "rnd", "legal")[place]},
    }


def _read_only() -> float:
    """Seconds to have every message's row and its decision in hand."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT m.*, d.facts FROM inbox_message m JOIN routing_decision d ON d.message_id = m.id")
        while cursor.fetchmany(2000):
            pass
    return time.monotonic() - began
