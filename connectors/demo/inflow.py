"""Time passes on the demo network: the story goes on, and people write at the rate that a channel asks for.

Nothing runs by itself: whoever reads the network lets its time pass first. What is written when is drawn from the
channel's name and the number of the beat, so that the same channel sees the same things.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

from django.db import transaction
from django.db.models import Exists, OuterRef

from connectors.demo import pool, server, week
from connectors.demo.people import anybody
from connectors.models import DemoClient, DemoNetwork, DemoPost
from departments.models import User

CALM = 0.1  # posts a minute while nobody watches
LOOKING = timedelta(minutes=3)
CATCH_UP = timedelta(minutes=5)  # after a longer silence people do not write all that they might have written
MOST = 500  # posts of one visit


def somebody_looks(at: datetime) -> bool:
    """Whether anybody who works here was seen lately."""
    return User.objects.filter(last_seen_at__gte=at - LOOKING).exists()


@transaction.atomic
def tell_story(at: datetime) -> datetime:
    """Tell of the company's week what has happened by now; when the story was opened, which the first call does."""
    DemoNetwork.objects.bulk_create([DemoNetwork(pk=1, opened_at=at)], ignore_conflicts=True)
    network = DemoNetwork.objects.get(pk=1)
    if network.told < len(week.story()):
        network = DemoNetwork.objects.select_for_update().get(pk=1)
        due = [each for each in week.story()[network.told :] if network.opened_at + week.when(each) <= at]
        for event in due:
            _happen(event, network.opened_at + week.when(event))
        DemoNetwork.objects.filter(pk=1).update(told=network.told + len(due))
    return network.opened_at


@transaction.atomic
def pass_time(slug: str, at: datetime, *, rate: float, account: str = "") -> int:
    """Let people write what they would have written to this channel by now, at `rate` posts a minute; how many
    beats."""
    client, _ = DemoClient.objects.select_for_update().get_or_create(slug=slug)
    _wind(client, at, rate)
    first = client.beat
    while client.next_post_at and client.next_post_at <= at and client.beat - first < MOST:
        chance = Random(f"{slug}:{client.beat}")
        _beat(client, chance, client.next_post_at, account)
        client.beat += 1
        client.next_post_at += _pause(chance, rate)
    client.save()
    return client.beat - first


# The story ------------------------------------------------------------------------------------------------------


def _happen(event: week.Event, at: datetime) -> None:
    match event:
        case week.Said():
            to = _told(event.to) if event.to else None
            more = {"lang": event.lang, "rating": event.rating, "title": event.title, "label": event.key}
            server.write_as(event.who, event.text, event.kind, to, account=event.account, at=at, **more)
        case week.Edited():
            server.edit(_told(event.key), event.text, at=at)
        case week.Deleted():
            server.delete(_told(event.key), at=at)


def _told(key: str) -> DemoPost:
    return DemoPost.objects.select_related("account").get(label=key)


# What goes on ---------------------------------------------------------------------------------------------------


def _wind(client: DemoClient, at: datetime, rate: float) -> None:
    """Set the clock to a time that fits the rate: it may have been changed, or nobody may have read for long."""
    if rate <= 0:
        client.next_post_at = None
    elif client.next_post_at is None or client.next_post_at > at + timedelta(minutes=4 / rate):
        client.next_post_at = at + _pause(Random(f"{client.slug}:{client.beat}:start"), rate)
    else:
        client.next_post_at = max(client.next_post_at, at - CATCH_UP)


def _pause(chance: Random, rate: float) -> timedelta:
    """People come at random, on average so many a minute."""
    return timedelta(minutes=chance.expovariate(rate))


def _beat(client: DemoClient, chance: Random, at: datetime, account: str) -> None:
    """One thing happens: an answer to us, an edit, a deletion, a nudge, or most often something new."""
    roll = chance.random()
    if roll < 0.5 and (ours := _waits_for_thanks(at, account)):
        them = ours.in_reply_to.author
        server.write_as(them, pool.one_of("answers", them.lang, chance), ours.kind, ours, at=at)
    elif roll < 0.04 and (post := _lately(at, account)):
        server.edit(post, f"{post.text} {pool.added(post.lang, chance)}", at=at)
    elif roll < 0.06 and (post := _lately(at, account)):
        server.delete(post, at=at)
    elif roll < 0.13 and (post := _unanswered(at, account)):
        kind = "dm" if post.kind == "dm" else "reply"
        server.write_as(post.author, pool.one_of("nudges", post.lang, chance), kind, post, at=at)
    else:
        _something_new(client, chance, at, account)


def _something_new(client: DemoClient, chance: Random, at: datetime, account: str) -> None:
    line = _next_line(client, account)
    under = DemoPost.objects.filter(label=line.under).select_related("account").first() if line.under else None
    server.write_as(
        anybody(chance, line.lang),
        pool.filled(line.text, line.lang, chance),
        line.kind if under or not line.under else "mention",
        under,
        account=line.account,
        at=at,
        lang=line.lang,
        rating=line.rating,
        title=line.title,
    )


def _next_line(client: DemoClient, account: str) -> pool.Line:
    """The next card of a shuffled deck, so that nothing is said twice before everything was said once."""
    cards = len(_deck(client.slug, account, 0))
    return _deck(client.slug, account, client.beat // cards)[client.beat % cards]


@lru_cache(maxsize=32)
def _deck(slug: str, account: str, turn: int) -> list[pool.Line]:
    deck = [line for line in pool.lines() if account in ("", line.account)]
    Random(f"{slug}:deck:{turn}").shuffle(deck)
    return deck


def _waits_for_thanks(at: datetime, account: str) -> DemoPost | None:
    """A reply of ours, some seconds old, to which its reader has something to say."""
    later = DemoPost.objects.filter(in_reply_to=OuterRef("pk"))
    ours = _of(account).filter(
        direction="out",
        in_reply_to__author__is_house=False,
        created_at__range=(at - timedelta(hours=1), at - timedelta(seconds=15)),
        deleted_at=None,
        label="",
    )
    waiting = ours.exclude(Exists(later)).select_related("in_reply_to__author", "account").order_by("created_at")[:20]
    # Some read and say nothing, and stay with that.
    return next((each for each in waiting if Random(f"thanks:{each.pk}").random() < 0.65), None)


def _lately(at: datetime, account: str) -> DemoPost | None:
    return _written(at, account).filter(edited_at=None, created_at__gte=at - timedelta(minutes=10)).first()


def _unanswered(at: datetime, account: str) -> DemoPost | None:
    replies = DemoPost.objects.filter(in_reply_to=OuterRef("pk"))
    some_time = (at - timedelta(minutes=25), at - timedelta(minutes=4))
    found = _written(at, account).filter(created_at__range=some_time, in_reply_to=None).exclude(kind="review")
    return found.exclude(Exists(replies)).first()


def _written(at: datetime, account: str):
    """What people wrote by themselves, the story left alone."""
    theirs = _of(account).filter(direction="in", deleted_at=None, label="", created_at__lte=at)
    return theirs.select_related("author", "account").order_by("-created_at")


def _of(account: str):
    return DemoPost.objects.filter(account__handle=account) if account else DemoPost.objects.exclude(account=None)
