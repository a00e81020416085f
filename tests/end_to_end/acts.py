"""The acts: what people outside and colleagues do, and what has to stand where in the end."""

from collections.abc import Callable
from pathlib import Path

from tests.end_to_end import bluesky, wordpress
from tests.end_to_end.play import PATIENCE, Hub, answer, browser, hub, sign_in
from tests.faults.traffic import ask
from tests.launcher.house import eventually

Say = Callable[[str], None]
ANGRY = "three weeks late and nobody answers. Where is my order? I want a refund now."
SORRY = "Sorry for the wait. Your refund is on its way: https://example.com/refunds"


def on_bluesky(folder: Path, say: Say) -> None:
    """Somebody mentions us, it is routed, Carl answers it in his browser, and the answer stands there once."""
    with browser() as started, bluesky.running(folder / "bluesky", say) as network, hub(folder / "hub") as ours:
        say(f"Bluesky is up at {network.address}, the house at {ours.house.address('/')}")
        us, ana = network.join("mirabelo"), network.join("ana")
        _connect(ours, network, us)
        post = ana.mention(us, ANGRY)
        ours.arrives("bluesky", ANGRY)
        assert ours.lies_with(ANGRY)[:1] == ["customer-service"], ours.lies_with(ANGRY)
        say("Ana's mention is in customer service's queue")
        answer(sign_in(started, ours, "carl"), "Where is my order?", SORRY)
        eventually(lambda: ana.answers_to(post) == [{"by": us.handle, "text": SORRY}], PATIENCE)
        eventually(lambda: ours.replies() == ["sent"], PATIENCE)
        say("Carl's answer stands below it")
        ours.looks_again("bluesky", 3)
        assert ana.answers_to(post) == [{"by": us.handle, "text": SORRY}]
        ours.arrives("bluesky", SORRY, "out")
        assert (ours.number("bluesky"), ours.number("bluesky", "out")) == (1, 1)
        say("It stands there once, and came back to nobody as news")
        _takes_back(ours, ana, us, say)


def _connect(ours: Hub, network: bluesky.Network, us: bluesky.Person) -> None:
    secret = {"app_password": us.app_password()}
    ours.open_channel("bluesky", "bluesky", secret, handle=us.handle, base_url=network.address)
    ours.looks_again("bluesky", 1)


def _takes_back(ours: Hub, ana: bluesky.Person, us: bluesky.Person, say: Say) -> None:
    """What somebody deletes is forgotten here too."""
    words = "forget that I asked where my parcel is"
    regretted = ana.mention(us, words)
    ours.arrives("bluesky", words)
    ana.delete(regretted)
    eventually(lambda: ours.deleted("bluesky") == 1, PATIENCE)
    say("What Ana deleted is a tombstone")


def on_wordpress(folder: Path, say: Say) -> None:
    """Articles and comments arrive, one that was approved late too, and what the feed lost on a busy day."""
    with wordpress.running(folder / "wordpress") as site, hub(folder / "hub") as ours:
        say(f"WordPress is up at {site.address}, the house at {ours.house.address('/')}")
        ours.open_channel("feed", "articles", {}, url=f"{site.address}/?feed=rss2")
        secret = {"username": "owner", "password": site.application_password()}
        ours.open_channel("feed", "comments", secret, url=site.comments_feed, wordpress=True)
        ours.arrives("articles", "Hello world")
        ours.arrives("comments", "Hi, this is a comment")
        site.publish("Spring bikes are here", "Two wheels and a bell.")
        ours.arrives("articles", "Spring bikes are here")
        site.comment("ana", ANGRY)
        ours.arrives("comments", ANGRY)
        say(f"Articles and a comment arrived; it lies with {', '.join(ours.lies_with(ANGRY))}")
        _is_approved_late(site, ours, say)
        _has_a_busy_day(site, ours, say)


def _is_approved_late(site: wordpress.Site, ours: Hub, say: Say) -> None:
    """One that waits is not there; approved, it appears behind a newer one, and its feed calls itself unchanged."""
    site.hold_comments(True)
    site.comment("ben", "Is the blue one in stock, or held for me?")
    site.hold_comments(False)
    site.many_comment(1, "Nice bell")
    ours.arrives("comments", "Nice bell 1")
    site.approve("Is the blue one in stock, or held for me?")
    _an_hour_passes(ours)
    ours.arrives("comments", "Is the blue one in stock")
    say("A comment that was approved behind a newer one arrived")


def _an_hour_passes(ours: Hub) -> None:
    """Time passes faster here: the feed was read as a whole an hour ago."""
    sql = """UPDATE connectors_channel SET cursor = jsonb_set(cursor, '{whole}', to_jsonb(%s::text))
        WHERE slug = 'comments' AND cursor ? 'whole' AND leased_until IS NULL RETURNING slug"""
    eventually(lambda: ask(ours.house, sql, "2020-01-01T00:00:00+00:00"), PATIENCE)


def _has_a_busy_day(site: wordpress.Site, ours: Hub, say: Say) -> None:
    """More comments than the feed holds, between two looks."""
    before = ours.number("comments")
    site.many_comment(25, "Busy day")
    eventually(lambda: ours.number("comments") == before + 25, PATIENCE)
    ours.looks_again("comments", 2)
    assert ours.number("comments") == before + 25
    gaps = ask(ours.house, "SELECT gap_closed_at IS NOT NULL FROM connectors_fetchrun WHERE gap <> ''")
    assert gaps == [(True,)], f"the feed lost some, which was noticed and mended once: {gaps}"
    say("Twenty-five comments at once arrived though the feed holds ten, and the gap is closed")


ACTS: dict[str, Callable[[Path, Say], None]] = {"bluesky": on_bluesky, "wordpress": on_wordpress}
