"""The demo network: people, threads, edits, deletions and every kind of trouble, without an account anywhere.

Its faults can be switched on while it runs, in the channel's settings.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from connectors.contract import COMMON, KINDS, Batch, Capabilities, Checked, Connector, Outgoing, Sent, Setting, Target
from connectors.demo import inflow, server
from connectors.demo.people import HOUSE
from connectors.errors import MaybeSent, NotAuthorized, NotSent, RateLimited, Rejected, Unreachable

PAGE = 100
FRESH = timedelta(hours=4)  # what is older when we first look is history: nobody is late with it


@dataclass(frozen=True)
class Demo(Connector):
    network = "demo"
    name = "Demo network"
    capabilities = Capabilities(
        reads=KINDS - {"article"},
        replies=True,
        likes=True,
        hides=True,
        removes=True,
        removes_of_others=True,
        longest_reply=server.LONGEST,
        edits=True,
        deletions=True,
        searches=True,
        global_ids=True,
        missing={
            "hooks": "cannot: it lives in this house and is asked for free",
            "private_replies": "not yet: nobody of the demo’s people answers in private",
            "lookups": "cannot: it tells of every edit and deletion by itself",
            "signs_in": "cannot: it believes everybody",
            "native_idempotency": "cannot: it takes the same reply twice, as many networks do",
        },
    )
    asks = (
        Setting(
            "account",
            "Account",
            "choice",
            "",
            "Which account of ours is read; empty for all of them",
            choices=tuple((each.handle, each.name) for each in HOUSE),
        ),
        Setting("poll_seconds", "Seconds between two looks", "number", 3, least=1, most=86_400),
        Setting("rate", "Posts a minute", "number", 2, "New posts while somebody watches", least=0, most=6_000),
        Setting("calm", "Calm when nobody watches", "flag", True, "Then a post every ten minutes or so"),
        Setting("story", "Tell the company’s week", "flag", True, "What happened in the last seven days, at first"),
        Setting("outage", "Fault: not reachable", "flag", False),
        Setting("late", "Fault: answers after so many seconds", "number", 0, least=0, most=60),
        Setting("drop_after_accept", "Fault: takes replies, then drops the line", "flag", False),
        Setting("refuse", "Fault: refuses replies, because …", help="The reason; empty for taking them"),
        Setting("rate_limited", "Fault: asks to wait so many seconds", "number", 0, least=0, most=86_400),
        Setting("expired", "Fault: does not accept the token any more", "flag", False),
    )
    heeds = frozenset(("poll_seconds", "backfill_days", "query"))
    secrets = (Setting("token", "Access token", help="Anything: the demo network believes everybody"),)

    def fetch(self, cursor) -> Batch:
        self._connect(Unreachable)
        self._wait()
        now = timezone.now()
        cursor = self._live(cursor, now)
        until, since = server.last_change(), datetime.fromisoformat(cursor["since"])
        found = server.changes(
            cursor["change"],
            until,
            account=self._said("account"),
            query=self._said("query"),
            since=since - timedelta(days=self._said("backfill_days")),
            limit=PAGE,
        )
        page = self._same_age(found, since - FRESH)
        more = len(page) < len(found) or len(found) == PAGE
        return Batch(
            posts=[server.as_post(each) for each in page],
            cursor=cursor | {"change": page[-1].change if more else until},
            more=more,
            history=bool(page) and page[0].created_at < since - FRESH,
        )

    def send(self, reply: Outgoing) -> Sent:
        self._connect(NotSent)
        if reason := self._said("refuse"):
            raise Rejected(reason)
        if self.length_of(reply.text) > server.LONGEST:
            raise Rejected(f"A reply may have {server.LONGEST} characters here.")
        try:
            post = server.accept(reply.text, reply.in_reply_to, reply.client_key, account=self._said("account"))
        except server.NoSuchPost:
            raise Rejected("The post that this answers is not there any more.") from None
        self._wait()
        if self._said("drop_after_accept"):
            raise MaybeSent("The line dropped before the network answered.")
        return _sent(post)

    def like(self, target: Target) -> None:
        self._act(target, liked_at=timezone.now())

    def hide(self, target: Target, hidden: bool = True) -> None:
        self._act(target, hidden_at=timezone.now() if hidden else None)

    def remove(self, target: Target) -> None:
        server.delete(self._act(target))

    def _act(self, target: Target, **changes) -> Any:
        self._connect(NotSent)
        if reason := self._said("refuse"):
            raise Rejected(reason)
        try:
            return server.act(target.id, **changes)
        except server.NoSuchPost:
            raise Rejected("The post is not there any more.") from None

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        self._connect(Unreachable)
        post = server.find(reply.text, reply.in_reply_to, reply.client_key, since)
        return _sent(post) if post else None

    def check(self) -> Checked:
        self._connect(Unreachable)
        return Checked(f"Connected to the demo network; {server.posts().count()} posts stand there.")

    def _said(self, name: str) -> Any:
        """What the channel's settings say, or the default."""
        return self.settings.get(name, _DEFAULTS[name])

    def _connect(self, unreachable: type[Exception]) -> None:
        """The faults that show before the network took anything."""
        if self._said("outage"):
            raise unreachable("The demo network is switched off in this channel’s settings.")
        if self._said("expired"):
            raise NotAuthorized("The demo network calls the token expired, as this channel’s settings ask.")
        if seconds := self._said("rate_limited"):
            raise RateLimited("", until=timezone.now() + timedelta(seconds=seconds))

    def _wait(self) -> None:
        if seconds := self._said("late"):
            time.sleep(seconds)

    def _live(self, cursor, now: datetime) -> dict[str, Any]:
        """Let time pass on the network, then say from where to read."""
        if self._said("story"):
            inflow.tell_story(now)
        rate = self._said("rate")
        if self._said("calm") and not inflow.somebody_looks(now):
            rate = min(rate, inflow.CALM)
        if not self._said("query"):
            inflow.pass_time(self.slug, now, rate=rate, account=self._said("account"))
        return {"change": 0, "since": now.isoformat()} | dict(cursor)

    def _same_age(self, found, fresh: datetime):
        """The first posts of the page that are all history, or all not."""
        ages = [post.created_at < fresh for post in found]
        return found[: ages.index(not ages[0])] if len(set(ages)) == 2 else found


_DEFAULTS = {each.name: each.default for each in (*COMMON, *Demo.asks)}


def _sent(post) -> Sent:
    return Sent(str(post.pk), server.url_of(post.pk), server.global_id_of(post.pk))
