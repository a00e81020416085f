"""Rules tried on one post, written for the purpose or stored: the whole way through them. Nothing is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from connectors.contract import Author, Post
from departments.models import User
from inbox.models import Conversation, Message
from inbox.waiting import as_they_waited
from routing.actions import may_edit
from routing.deciding import RuleSets
from routing.engine import live_rule_sets, made_ready, scores_of
from routing.facts import facts_of_message
from routing.gathering import Asked, asked_by, gather_tried, look_up
from routing.models import MessageScores, RoutingModel, RuleSet, RuleSetVersion
from routing.previewing import Anywhere
from routing.reading import reader
from routing.scoring import Scores
from routing.tracing import Trace, Walked, trace


# By which rules -------------------------------------------------------------------------------------------------
def versions_to_try(user: User) -> list[RuleSetVersion]:
    """What may be tried beside the live rules: shadows of the sets that the person reads, drafts of those they edit."""
    states = (RuleSetVersion.State.DRAFT, RuleSetVersion.State.SHADOW)
    found = RuleSetVersion.objects.filter(state__in=states, rule_set__in=RuleSet.objects.visible_to(user))
    found = found.select_related("rule_set__department").order_by("rule_set__department__position", "-number")
    return [each for each in found if each.state == RuleSetVersion.State.SHADOW or may_edit(user, each.rule_set)]


def rule_sets_for(user: User, version: RuleSetVersion | None = None) -> RuleSets:
    """The live rules as far as the person may read them, with this version in the place of the live one of its set."""
    live = live_rule_sets()
    readable = set(RuleSet.objects.visible_to(user).values_list("department__slug", flat=True))
    live = replace(live, own={slug: book for slug, book in live.own.items() if slug in readable})
    if version is None:
        return live
    department = version.rule_set.department
    if department is None:
        return replace(live, house=made_ready(version))
    return replace(live, own={**live.own, department.slug: made_ready(version)})


# On what --------------------------------------------------------------------------------------------------------
def on_text(said: dict[str, Any], rule_sets: RuleSets, *, read: bool = True) -> Trace:
    """The way of a post that says this. Unless it is `read`, no model is asked: to make one ready takes seconds, and
    what the rules say is there at once."""
    author = Author(id="", handle=said["author"].lstrip("@"), followers=said["followers"])
    post = Post("", said["kind"], said["text"], said["at"] or timezone.now(), author, rating=said["rating"])
    (facts,) = gather_tried([(post, Anywhere(said["network"]))], asked_by(rule_sets))
    scores, found = scores_of(facts), reader() if read else None
    if found is None:
        return trace(facts, rule_sets, scores)
    (scores,) = found.of_facts([facts.in_language(scores.language)])
    return trace(facts, replace(rule_sets, thresholds=found.thresholds), scores)


def on_message(message: Message, rule_sets: RuleSets) -> Trace:
    """The way of a stored message, as if it had begun its conversation now, by what the model in force said of it
    already. The person was found to see it."""
    (waiting,) = as_they_waited([str(message.pk)])
    facts = facts_of_message(waiting, is_reply_to_us=waiting.answers_us)
    if wants := asked_by(rule_sets):
        facts = look_up([Asked(waiting.id, facts, wants, waiting.talk.confidential)])[waiting.id]
    model = model_in_force()
    kept = MessageScores.objects.filter(message=message, revision=message.revision, model=model).first()
    if model is None or kept is None:
        return trace(facts, rule_sets, scores_of(facts))
    labels = tuple((slug, sure) for slug, sure in kept.labels)
    scores = Scores(kept.language, kept.mood, labels, str(model.pk))
    return trace(facts, replace(rule_sets, thresholds=model.thresholds), scores)


def model_in_force() -> RoutingModel | None:
    """What is told of the model that reads what rules do not place; it is not made ready."""
    return RoutingModel.objects.live().told().first() if settings.LEARNED_ROUTING else None


def first_message(user: User, conversation: UUID) -> Message | None:
    """What began a conversation that this person sees: by it the rules decided."""
    seen = Conversation.objects.visible_to(user).filter(pk=conversation)
    messages = Message.objects.visible_to(user).from_outside().filter(conversation__in=seen, deleted_at=None)
    return messages.select_related("channel", "identity").order_by("created_at", "id").first()


# Told in few lines ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Run:
    """Rules one after another that had no part in it, folded into a line; or a single one that had."""

    rules: tuple[Walked, ...]

    @property
    def fits(self) -> bool:
        return self.rules[0].fits or self.rules[0].came == "broken"


def runs(walked: Iterable[Walked]) -> Iterator[Run]:
    """The way in order, with the rules that had no part in it folded together."""
    waiting: list[Walked] = []
    for each in walked:
        if not each.fits and each.came != "broken":
            waiting.append(each)
            continue
        if waiting:
            yield Run(tuple(waiting))
            waiting = []
        yield Run((each,))
    if waiting:
        yield Run(tuple(waiting))
