"""What the network knows against what the house has. Every figure that has to be 0 comes with the first few of those
that make it more."""

from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from tests.faults.traffic import ask
from tests.launcher.house import House
from tests.torture.world import Said, World

#: What must be 0, in the order in which it is told.
FAULTS = (
    "lost", "doubled", "stale", "split", "routed_twice", "unrouted", "replied_twice", "forgotten", "lied", "threaded",
    "miscounted",
)  # fmt: skip


@dataclass
class Verdict:
    """`found[name]` are those that are wrong; the rest are figures."""

    found: dict[str, list] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def number(self, name: str) -> int:
        return len(self.found.get(name, []))

    @property
    def is_clean(self) -> bool:
        return not any(self.found.values())


def judge(house: House, world: World, accepted: set[str]) -> Verdict:
    """Everything that the network knows, looked for in the house."""
    verdict = judge_posts(house, world)
    _routing(verdict, house)
    _replies(verdict, house, world, accepted)
    verdict.found["miscounted"] = ask(house, _MISCOUNTED)
    return verdict


def kept_marks(house: House) -> set[str]:
    """The marks of all posts that the house has, kept or laid aside."""
    return {mark for (mark,) in ask(house, f"{_MARKS} UNION {_ASIDE}")}


_MARKS = r"SELECT substring(text from '\(t[0-9]+\)$') AS mark FROM inbox_message WHERE direction = 'in'"
_ASIDE = r"SELECT substring(raw from '\(t[0-9]+\)') FROM connectors_quarantinedpost"


Messages = dict[str, list[tuple[str, str]]]


def stale(house: House, world: World) -> list[Said]:
    """What was changed since, and the house does not know it yet."""
    messages = _messages(house)
    return [each for each in world.told() if not each.broken and _is_stale(each, messages)]


def _is_stale(said: Said, messages: Messages) -> bool:
    return said.mark in messages and normalize("NFC", said.text) not in messages[said.mark][0][0]


def _messages(house: House) -> Messages:
    """Text and conversation of each message that the house has under a mark."""
    messages: Messages = {}
    for mark, text, conversation in ask(
        house,
        r"SELECT substring(text from '\(t[0-9]+\)$'), text, conversation_id::text FROM inbox_message "
        r"WHERE direction = 'in' AND text ~ '\(t[0-9]+\)$'",
    ):
        messages.setdefault(mark, []).append((text, conversation))
    return messages


def judge_posts(house: House, world: World) -> Verdict:
    """What people wrote, and as they wrote it last."""
    verdict = Verdict()
    messages = _messages(house)
    aside = {mark for (mark,) in ask(house, _ASIDE)}
    told = world.told()
    readable = [each for each in told if not each.broken]
    verdict.found["lost"] = [each.id for each in told if each.mark not in (aside if each.broken else messages)]
    verdict.found["doubled"] = [mark for mark, found in messages.items() if len(found) > 1]
    verdict.found["stale"] = [each.id for each in readable if _is_stale(each, messages)]
    verdict.found["split"] = [
        each.id
        for each in readable
        if each.before and each.mark in messages and each.root.mark in messages
        if messages[each.mark][0][1] != messages[each.root.mark][0][1]
    ]
    verdict.figures |= {"posts": len(told), "laid_aside": len(aside), "edits": sum(each.edits for each in told)}
    return verdict


def _routing(verdict: Verdict, house: House) -> None:
    living = "inbox_message m WHERE m.direction = 'in' AND m.deleted_at IS NULL"
    decisions = (
        "(SELECT count(*) FROM routing_decision d WHERE d.message_id = m.id AND d.revision = m.revision "
        "AND d.mode = 'live')"
    )
    verdict.found["unrouted"] = ask(
        house, f"SELECT m.id::text FROM {living} AND (m.routed_at IS NULL OR {decisions} = 0)"
    )
    verdict.found["routed_twice"] = ask(house, _DECIDED_TWICE) + ask(house, _PLACED_TWICE) + ask(house, _TWO_CLOCKS)


#: More than one live decision about a version of a message.
_DECIDED_TWICE = """
    SELECT 'decided', message_id::text FROM routing_decision
    GROUP BY message_id, revision, mode HAVING count(*) > 1"""
#: A department got the conversation twice, or none or two departments lead it.
_PLACED_TWICE = """
    SELECT 'placed', conversation_id::text FROM departments_auditentry WHERE verb = 'item_placed'
    GROUP BY conversation_id, department_id HAVING count(*) > 1
    UNION ALL
    SELECT 'leads', c.id::text FROM inbox_conversation c
    WHERE c.merged_into_id IS NULL
    AND EXISTS (SELECT FROM inbox_message m WHERE m.conversation_id = c.id AND m.direction = 'in'
                AND m.routed_at IS NOT NULL AND m.deleted_at IS NULL)
    AND (SELECT count(*) FROM inbox_queueitem i WHERE i.conversation_id = c.id AND i.lead) != 1"""
#: A wait that began twice.
_TWO_CLOCKS = """
    SELECT 'clocks', item_id::text FROM inbox_clock GROUP BY item_id, kind, started_at HAVING count(*) > 1"""
#: Counts are kept, never counted: after all that they have to be what one would count.
_MISCOUNTED = """
    WITH kept AS (
        SELECT department_id, confidential, sum(open) AS open, sum(unassigned) AS unassigned
        FROM inbox_queuecount GROUP BY 1, 2
    ), counted AS (
        SELECT department_id, confidential, count(*) AS open, count(*) FILTER (WHERE assignee_id IS NULL) AS unassigned
        FROM inbox_queueitem WHERE status = 'open' AND NOT sealed AND NOT probably_nothing GROUP BY 1, 2
    )
    SELECT department_id::text, confidential, kept.open, counted.open, kept.unassigned, counted.unassigned
    FROM kept FULL JOIN counted USING (department_id, confidential)
    WHERE coalesce(kept.open, 0) != coalesce(counted.open, 0)
    OR coalesce(kept.unassigned, 0) != coalesce(counted.unassigned, 0)"""


def _replies(verdict: Verdict, house: House, world: World, accepted: set[str]) -> None:
    """Every reply that the API accepted is where it says that it is, and there is one of it."""
    published = {key: len(times) for key, times in world.replies.items()}
    demo = dict(ask(house, "SELECT client_key, count(*) FROM connectors_demopost WHERE client_key <> '' GROUP BY 1"))
    published |= demo
    rows = ask(
        house,
        "SELECT id::text, state, client_key::text, "
        "EXISTS (SELECT FROM departments_auditentry a WHERE a.verb = 'reply_unknown' AND a.target_id = r.id::text) "
        "FROM inbox_reply r",
    )
    there = {each for each, *_ in rows}
    verdict.found["replied_twice"] = [key for key, times in published.items() if times > 1]
    verdict.found["replied_twice"] += ask(house, "SELECT text FROM inbox_reply GROUP BY text HAVING count(*) > 1")
    verdict.found["forgotten"] = [each for each in accepted if each not in there]
    verdict.found["forgotten"] += [(each, state) for each, state, *_ in rows if state not in AT_REST]
    # Sent and not there, or there and called refused: people were told something that is not so.
    verdict.found["lied"] = [
        (each, state)
        for each, state, key, _ in rows
        if (state == "sent" and key not in published) or (state in ("refused", "cancelled") and key in published)
    ]
    verdict.found["threaded"] = ask(house, _NOT_IN_ITS_THREAD)
    doubted = [(state, key in published) for _, state, key, was_unknown in rows if was_unknown]
    verdict.figures |= {
        "replies": len(rows),
        "sent": sum(state == "sent" for _, state, *_ in rows),
        "refused": sum(state == "refused" for _, state, *_ in rows),
        "needs_person": sum(state == "needs_person" for _, state, *_ in rows),
        "unknown": len(doubted),
        "unknown_resolved": sum(state == "sent" for state, _ in doubted),
        # The network never had these: nobody but a person can know that.
        "never_arrived": sum(not was_there for _, was_there in doubted),
        "not_found": sum(was_there and state != "sent" for state, was_there in doubted),
    }


#: What left stands in its conversation, once.
_NOT_IN_ITS_THREAD = """
    SELECT r.id::text FROM inbox_reply r WHERE r.state = 'sent' AND r.remote_id <> ''
    AND (SELECT count(*) FROM inbox_message m WHERE m.direction = 'out' AND m.channel_id = r.channel_id
         AND m.external_id = r.remote_id AND m.conversation_id = r.conversation_id) != 1"""
AT_REST = ("sent", "refused", "needs_person", "cancelled")
