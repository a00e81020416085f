"""A version of rules tried on what came in before, beside the rules in force: who would have got what, and which was
nearer to where people put it in the end.

Both are asked anew, by the one `decide`, of the same facts. What began a conversation is placed by the rules; what
continued one stays where its conversation lies (in each of the two worlds where that one put it), as it does live: it
moves nothing, and only what rules add to it may differ. So what is counted as moved are conversations.

A trial is made for who asked for it: of messages that this person may see, and of no others.
"""

import hashlib
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from departments.away import is_away
from inbox.models import Message
from routing.deciding import Book, RuleSets, Verdict, decide
from routing.gathering import asked_by
from routing.in_force import live_rule_sets, made_ready
from routing.learning.live import thresholds_of
from routing.models import BackTest, Correction, RoutingModel, RuleSetVersion
from routing.outcomes import NOTHING, in_short, is_open, outcome, place_of, unless_read
from routing.past import Past, ids_within, slices
from routing.recording import failed

#: A trial whose worker does not tell for so long is taken up by another.
LEASE = timedelta(seconds=60)
#: A trial that ended its worker so often is given up.
TRIES = 3
#: Conversations that are listed: those that would lie elsewhere, and those where only something else would differ.
MOST_MOVED, MOST_OTHERWISE = 200, 100

logger = logging.getLogger(__name__)


# One trial after another ----------------------------------------------------------------------------------------
def run_next(rest: Callable[[], None] = lambda: None) -> bool:
    """Do the trial that waits longest, to its end. `rest` is called after each slice. False when none waits."""
    trial = claim()
    if trial is None:
        return False
    try:
        _run(trial, rest)
    except Exception as error:
        if is_away(error):
            raise  # nothing is wrong with the trial: its lease ends, and it begins anew
        logger.exception("Back-test %s failed.", trial.pk)
        trouble = f"It failed ({type(error).__name__}); the log says where."
        _mine(trial).update(state=BackTest.State.FAILED, trouble=trouble, finished_at=timezone.now())
    return True


@transaction.atomic
def claim() -> BackTest | None:
    """The trial that waits longest, now ours; one that was left by its worker begins anew."""
    trial = BackTest.objects.due().select_for_update(skip_locked=True).first()
    if trial is None:
        return None
    tries = trial.result.get("tries", 0) + 1
    trial.state = BackTest.State.RUNNING if tries <= TRIES else BackTest.State.FAILED
    if tries > TRIES:
        trial.trouble = "It was begun three times, and its worker ended each time."
        trial.finished_at = timezone.now()
    trial.result, trial.done, trial.total = {"tries": tries}, 0, 0
    trial.started_at, trial.leased_until = timezone.now(), timezone.now() + LEASE
    trial.save()
    return trial if tries <= TRIES else None


def _mine(trial: BackTest):
    """The row while it is ours: not cancelled, not deleted, not taken up by another worker."""
    running = BackTest.objects.filter(pk=trial.pk, state=BackTest.State.RUNNING)
    return running.filter(leased_until=trial.leased_until)


def _tell(trial: BackTest, **more: Any) -> bool:
    """Say how far it is, and keep it ours; whether it still is."""
    until = timezone.now() + LEASE
    ours = _mine(trial).update(leased_until=until, **more)
    trial.leased_until = until
    return bool(ours)


def _run(trial: BackTest, rest: Callable[[], None]) -> None:
    began = time.monotonic()
    ids = ids_within(trial.asked_by, trial.scope)
    model = RoutingModel.objects.live().defer("artefact", "vocabulary").first()
    sets = both(trial, model)
    tally, done = Tally(*sets, belongs(ids)), 0
    if not _tell(trial, total=len(ids)):
        return
    for slice_ in slices(ids, model, asked_by(*sets)):
        for past in slice_:
            tally.add(past)
        done = min(len(ids), done + len(slice_))
        if not _tell(trial, done=done):
            return
        rest()
    result = tally.result() | {
        "print": fingerprint(trial.version),
        "rights": trial.asked_by.permission_epoch,
        "model": model.number if model else None,
        "seconds": round(time.monotonic() - began, 1),
    }
    _tell(trial, done=len(ids), state=BackTest.State.DONE, result=result, finished_at=timezone.now())


def both(trial: BackTest, model: RoutingModel | None) -> tuple[RuleSets, RuleSets]:
    """What is in force, and the same with the version that is tried."""
    live = replace(live_rule_sets(), thresholds=thresholds_of(model) if model else {})
    return with_version(live, trial.version, trial.against), with_version(live, trial.version, trial.version)


def with_version(live: RuleSets, of: RuleSetVersion, version: RuleSetVersion | None) -> RuleSets:
    """What is in force, with this version in the place of the live one of the set that `of` belongs to."""
    department = of.rule_set.department
    book = made_ready(version) if version else Book("", 0, [])
    if department is None:
        return replace(live, house=book)
    return replace(live, own={**live.own, department.slug: book})


def fingerprint(version: RuleSetVersion) -> str:
    """The same while the version's rules are the same: a draft may change after it was tried."""
    return hashlib.sha256(json.dumps(version.rules, sort_keys=True).encode()).hexdigest()[:16]


def belongs(ids: Sequence[str]) -> dict[str, str]:
    """Message → where people found that it belongs: a department, or nobody's."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), 20_000):
        told = Correction.objects.filter(message__among=ids[start : start + 20_000]).order_by()
        rows = told.values_list("message_id", "belongs__slug")
        found |= {str(message): slug or NOTHING for message, slug in rows}
    return found


# What comes of it -----------------------------------------------------------------------------------------------
class Tally:
    """What comes of a trial, message by message, the oldest first."""

    def __init__(self, old: RuleSets, new: RuleSets, belongs: Mapping[str, str] | None = None):
        self.old, self.new, self.belongs = _World(old), _World(new), belongs or {}
        self.matrix: Counter[tuple[str, str]] = Counter()
        self.counts: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.moved: deque = deque(maxlen=MOST_MOVED)
        self.otherwise: deque = deque(maxlen=MOST_OTHERWISE)
        self._touched: set[str] = set()
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None

    def add(self, past: Past) -> None:
        talk = past.message.conversation_id
        begins = not past.thread and talk not in self.old.lies
        before, after = self.old.decided(past), self.new.decided(past)
        self._note(past, begins, before, after)
        if begins:
            self.matrix[place_of(before), place_of(after)] += 1
        if place_of(before) != place_of(after):
            if begins:
                self.moved.append((past, before, after))
                self._touched.add(talk)
        elif talk not in self._touched and outcome(before) != outcome(after):
            self.counts["otherwise"] += 1
            self.otherwise.append((past, before, after))
            self._touched.add(talk)

    def _note(self, past: Past, begins: bool, before: Verdict, after: Verdict) -> None:
        self.counts["messages"] += 1
        self.counts["conversations"] += begins
        # Where a model would have been asked, and had not read it.
        self.counts["unscored"] += not past.scored and (is_open(before) or is_open(after))
        self.counts["failed"] += before.failed or after.failed
        self.first_at, self.last_at = self.first_at or past.facts.created_at, past.facts.created_at
        if right := self.belongs.get(past.message.id):
            self.right["n"] += 1
            for when, verdict in (("before", before), ("after", after)):
                self.right[when] += place_of(verdict) == right
                self.right[f"{when}_unsure"] += verdict.department == "triage" and place_of(verdict) != right

    def result(self) -> dict[str, Any]:
        """As it is kept."""
        moved = sum(many for (old, new), many in self.matrix.items() if old != new)
        days = ((self.last_at - self.first_at) / timedelta(days=1)) if self.first_at and self.last_at else 0
        return {
            **{name: self.counts[name] for name in ("messages", "conversations", "otherwise", "unscored", "failed")},
            "from": self.first_at and self.first_at.isoformat(),
            "to": self.last_at and self.last_at.isoformat(),
            "days": round(max(days, 1 / 24), 3),
            "moved": moved,
            "matrix": [[old, new, many] for (old, new), many in sorted(self.matrix.items())],
            "moved_list": [_told(*each) for each in reversed(self.moved)],
            "otherwise_list": [_told(*each) for each in reversed(self.otherwise)],
            "rules": self._rules(),
            "load": self._load(),
            "accuracy": {name: self.right[name] for name in ("n", *_RIGHTS)},
        }

    def _rules(self) -> list[dict[str, Any]]:
        """Every rule of either, in the order of the new ones, with how often it fitted and how often it decided."""
        names = self.old.rules | self.new.rules
        order = [*self.new.rules, *(uid for uid in self.old.rules if uid not in self.new.rules)]
        return [
            {
                "uid": uid,
                "name": names[uid],
                "hits": self.new.hits[uid] if uid in self.new.rules else None,
                "first": self.new.first[uid] if uid in self.new.rules else None,
                "was_hits": self.old.hits[uid] if uid in self.old.rules else None,
                "was_first": self.old.first[uid] if uid in self.old.rules else None,
            }
            for uid in order
        ]

    def _load(self) -> list[dict[str, Any]]:
        """Department → conversations that it would have got, to lead or to join."""
        there = [slug for slug in [*self.new.sets.departments, NOTHING] if self.old.load[slug] or self.new.load[slug]]
        return [{"department": slug, "before": self.old.load[slug], "after": self.new.load[slug]} for slug in there]


_RIGHTS = ("before", "after", "before_unsure", "after_unsure")


class _World:
    """What these rules would have made of it all."""

    def __init__(self, sets: RuleSets):
        self.sets = sets
        #: Conversation → who leads it here, and whoever else has a share in it.
        self.lies: dict[str, tuple[str, ...]] = {}
        self.hits: Counter[str] = Counter()
        self.first: Counter[str] = Counter()
        self.load: Counter[str] = Counter()
        books = (sets.house, *sets.own.values())
        self.rules = {rule.uid: rule.name for book in books for rule in book.rules}

    def decided(self, past: Past) -> Verdict:
        talk = past.message.conversation_id
        held = self.lies.get(talk, ())
        holder = held[0] if held else past.thread
        try:
            verdict = decide(past.facts, self.sets, past.scores, holder=holder)
        except Exception as error:
            verdict = failed(past.facts, self.sets, error, holder)
        verdict = unless_read(verdict, past.scores, self.sets)
        for match in verdict.matches:
            self.hits[match.rule.uid] += 1
        if verdict.by:
            self.first[verdict.by.rule.uid] += 1
        self._lay(talk, held, holder, verdict)
        return verdict

    def _lay(self, talk: str, held: tuple[str, ...], holder: str, verdict: Verdict) -> None:
        """Note who has a share in the conversation now. Whoever held it before the trial began is no new load."""
        joins = [slug for slug, _ in verdict.joins if slug not in held]
        if not held:
            self.lies[talk] = (verdict.department, *joins)
            if not holder:
                self.load[place_of(verdict)] += 1
        elif joins:
            self.lies[talk] = (*held, *joins)
        for slug in joins:
            self.load[slug] += 1


def _told(past: Past, before: Verdict, after: Verdict) -> dict[str, Any]:
    """One conversation of the list: ids and reasons, and none of what was said."""
    message = past.message
    return {
        "message": message.id,
        "conversation": message.conversation_id,
        "at": past.facts.created_at.isoformat(),
        "before": in_short(before),
        "after": in_short(after),
    }


def still_seen(trial: BackTest, user) -> dict[str, Message]:
    """The messages of a kept result that this person may see today, by id."""
    ids = [row["message"] for name in ("moved_list", "otherwise_list") for row in trial.result.get(name, [])]
    seen = Message.objects.visible_to(user).filter(pk__among=ids, deleted_at=None)
    return {str(each.pk): each for each in seen.select_related("channel", "identity")}
