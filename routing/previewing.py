"""What would be decided of a post, with nothing stored: for the API and for the box in which a rule is tried."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.contract import Post, Unreadable
from connectors.models import Channel
from connectors.normalise import post_from
from routing.deciding import RuleSets, Verdict, decide
from routing.engine import scores_of
from routing.facts import Place
from routing.gathering import asked_by, gather_tried
from routing.reading import reader


@dataclass(frozen=True)
class Anywhere:
    """A channel that does not exist: a post is tried as if it had come in here."""

    network: str = ""
    slug: str = ""


def preview(posts: Iterable[Any], rule_sets: RuleSets, channel: Channel | None = None) -> Iterator[Verdict | str]:
    """For each post as JSON, in order: what would be decided, or why the post can not be read. A post may name its
    `network`, unless the channel says it."""
    read = [(post_from(raw), channel or Anywhere(_network(raw))) for raw in posts]
    tried = [(post, place) for post, place in read if not isinstance(post, Unreadable)]
    verdicts = iter(of_posts(tried, rule_sets))
    for post, _ in read:
        yield post.reason if isinstance(post, Unreadable) else next(verdicts)


def of_posts(posts: Sequence[tuple[Post, Place]], rule_sets: RuleSets) -> Iterator[Verdict]:
    """What would be decided of each, in order."""
    model = reader()
    for facts in gather_tried(posts, asked_by(rule_sets)):
        known = scores_of(facts)
        verdict = decide(facts, rule_sets, known)
        if model and (verdict.is_open or rule_sets.asks_models):
            (known,) = model.of_facts([facts.in_language(known.language)])
            verdict = decide(facts, replace(rule_sets, thresholds=model.thresholds), known)
        yield verdict


def of_post(post: Post, rule_sets: RuleSets, place: Place) -> Verdict:
    return next(of_posts([(post, place)], rule_sets))


def _network(raw: Any) -> str:
    network = raw.get("network", "")
    return network[:30] if isinstance(network, str) else ""
