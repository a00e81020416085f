"""What would be decided of a post, with nothing stored: for the API and for the box in which a rule is tried."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from connectors.contract import Post, Unreadable
from connectors.models import Channel
from connectors.normalise import post_from
from routing.deciding import RuleSets, Verdict, decide
from routing.engine import scores_of
from routing.facts import Facts, Place, facts_of_post


@dataclass(frozen=True)
class Anywhere:
    """A channel that does not exist: a post is tried as if it had come in here."""

    network: str = ""
    slug: str = ""


def preview(posts: Iterable[Any], rule_sets: RuleSets, channel: Channel | None = None) -> Iterator[Verdict | str]:
    """For each post as JSON, in order: what would be decided, or why the post can not be read. A post may name its
    `network`, unless the channel says it."""
    for raw in posts:
        post = post_from(raw)
        if isinstance(post, Unreadable):
            yield post.reason
        else:
            yield of_post(post, rule_sets, channel or Anywhere(_network(raw)))


def of_post(post: Post, rule_sets: RuleSets, place: Place) -> Verdict:
    facts: Facts = facts_of_post(post, place)
    return decide(facts, rule_sets, scores_of(facts))


def _network(raw: Any) -> str:
    network = raw.get("network", "")
    return network[:30] if isinstance(network, str) else ""
