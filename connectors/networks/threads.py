"""An account on Threads: answers below its posts, mentions, and what is said anywhere with given words.

Threads has no messages and no comments on the side: all of it is posts. Meta delivers answers and mentions, and a
slower look closes what deliveries missed. An answer is made in two steps, a container that nobody sees and its
publishing, so whatever goes wrong before the second was certainly not sent.

Written after Meta's documents of 2026; no call to Meta itself was ever made with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from connectors import accounts, oauth, walking
from connectors.contract import (
    Account,
    Batch,
    Capabilities,
    Checked,
    Limits,
    Outgoing,
    Post,
    Sent,
    Setting,
    SignIn,
    Target,
    Unreadable,
)
from connectors.dialects import grants, logins, messenger, refusals, threadposts, weighing
from connectors.dialects.graph import Heard, node
from connectors.dialects.hub import moment
from connectors.dialects.messenger import Us
from connectors.dialects.meta import APP_ID, SECRETS, MetaConnector, granted_all, is_direct, newest, objects, taken
from connectors.errors import (
    ConnectorError,
    MakesNoSense,
    Misconfigured,
    MissingScope,
    NotAllowed,
    NotSent,
    NotThere,
    QuotaExhausted,
    Unreachable,
)
from connectors.walking import Page, Step

LONGEST = 500
SEARCHES_A_DAY = 2_200  # of one account
WWW = "https://threads.com"
FIELDS = "id,text,username,permalink,timestamp,media_type,media_url,has_replies,is_reply,root_post,replied_to"
PAGE = 100
MOST_LOOKS = 3  # pages, when one of our answers is looked for

#: What the app has to be granted, and what for.
SCOPES = {
    "threads_basic": "find the account and its posts",
    "threads_read_replies": "read answers",
    "threads_manage_replies": "answer, and hide answers",
    "threads_content_publish": "publish what we answer",
    "threads_manage_mentions": "read and answer mentions",
    "threads_delete": "delete our own posts",
    "threads_keyword_search": "search",
}
SEARCH = "threads_keyword_search"
#: What a part is read with, where Threads refuses it without saying so.
NEEDS = {"posts": "threads_basic", "mentions": "threads_manage_mentions", "found": SEARCH}


@dataclass(frozen=True)
class Threads(MetaConnector):
    network = "threads"
    name = "Threads"
    host = "https://graph.threads.com"
    version = "v1.0"
    words = SCOPES
    capabilities = Capabilities(
        reads=frozenset(("reply", "mention", "post")),
        hooks=True,
        replies=True,
        hides=True,
        removes=True,
        longest_reply=LONGEST,
        counts="threads",
        lookups=True,
        searches=True,
        global_ids=True,
        signs_in=True,
        missing={
            "private_replies": "cannot: Threads has no messages for programs",
            "likes": "cannot: Threads lets no program like a post",
            "removes_of_others": "cannot: answers of others can be hidden, not deleted",
            "edits": "cannot: Threads tells of no edits; they show when a post is looked up",
            "deletions": "cannot: Threads tells of our own deletions alone; theirs show when a post is looked up",
            "native_idempotency": "cannot: Threads knows no key by which a second try could be told",
        },
    )
    asks = (
        APP_ID,
        Setting("account", "Account ID", help="Filled in by signing in"),
        Setting("watch_days", "Days to watch a post", "number", 14, "For new answers below it", least=1, most=365),
        Setting("poll_seconds", "Seconds between two looks", "number", 300, least=1, most=86_400),
    )
    secrets = SECRETS

    @property
    def offers(self) -> Capabilities:
        """Only a search finds posts that are meant for nobody, and it knows no mentions."""
        reads = self.capabilities.reads - {"mention" if self.query else "post"}
        return replace(self.capabilities, reads=reads)

    @classmethod
    def first_credentials(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        return logins.entered(credentials)

    def length_of(self, text: str) -> int:
        return weighing.length_on_threads(text)

    @classmethod
    def estimate(cls, settings: Mapping[str, Any]) -> str:
        if not settings.get("query"):
            return ""
        looks = round(86_400 / (settings.get("poll_seconds") or 300))
        return (
            f"At least {looks:,} of the {SEARCHES_A_DAY:,} searches that Threads allows an account in 24 hours, over "
            "all its channels and programs. Those that find nothing are not counted."
        )

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        me, learnt = self._me
        whose = f"{me['account']} {self.query}"
        cursor = cursor if cursor.get("of") == whose else {"of": whose}
        parts = ["found"] if self.query else ["posts", "answered", "mentions"]
        batch = walking.read(cursor, parts, self._step, days=self.settings.get("backfill_days", 7))
        return replace(batch, known=learnt) if learnt else batch

    def _step(self, step: Step, since: datetime) -> Page:
        try:
            return getattr(self, f"_read_{step.part}")(step, since)
        except MissingScope as error:
            raise grants.named(error, (NEEDS.get(step.part, "threads_read_replies"),), SCOPES) from None

    def _read_posts(self, step: Step, since: datetime) -> Page:
        """Our own posts; a post of last month may have an answer of today, so what is below each is read."""
        page = self._watched("me/threads", step, since, "conversation")
        if not step.place:
            with suppress(MissingScope, MakesNoSense, NotThere):
                page.limits = self._quota()
        return page

    def _read_answered(self, step: Step, since: datetime) -> Page:
        """What we answered anywhere; what is below that is not always below a post of ours."""
        return self._watched("me/replies", step, since, "replies")

    def _watched(self, edge: str, step: Step, since: datetime, below: str) -> Page:
        heard, page = self._list(edge, step, since)
        watched = min(since, heard.at - timedelta(days=self.settings.get("watch_days", 14)))
        told = [(raw, moment(raw.get("timestamp"), heard.at)) for raw in objects(heard.said)]
        page.reached = any(at < watched for _, at in told)
        page.deeper = [Step(below, str(raw.get("id"))) for raw, at in told if at >= watched and raw.get("has_replies")]
        return page

    def _read_conversation(self, step: Step, since: datetime) -> Page:
        """All answers below one of our posts, however deep."""
        return self._list(node(step.of, "conversation"), step, since, reverse="true")[1]

    def _read_replies(self, step: Step, since: datetime) -> Page:
        return self._list(node(step.of, "replies"), step, since, reverse="true")[1]

    def _read_mentions(self, step: Step, since: datetime) -> Page:
        return self._list("me/mentions", step, since, kind="mention")[1]

    def _read_found(self, step: Step, since: datetime) -> Page:
        """A search may have no pages: then what is older than the last that it showed is asked for next."""
        asked: dict[str, Any] = {"q": self.query, "search_type": "RECENT", "since": int(since.timestamp())}
        heard, page = self._list("keyword_search", step, since, **asked)
        oldest = min((moment(raw.get("timestamp"), heard.at) for raw in objects(heard.said)), default=since)
        if page.following or len(heard.items) < PAGE or oldest <= since:
            return page
        until = int(oldest.timestamp()) + 1
        if str(until) == step.place.get("until"):
            page.gap, page.gap_until = f"A search showed {PAGE} posts of one second, and no more of them.", oldest
            until -= 1
        page.following = {"until": str(until)}
        return page

    def _list(self, edge: str, step: Step, begin: datetime, *, kind: str = "", **asked: Any) -> tuple[Heard, Page]:
        """A page of a list, newest first. By its documents Threads names no next page even where there is one, so a
        full page is not taken for the last."""
        heard = self._graph.get(edge, fields=FIELDS, limit=PAGE, **{**asked, **step.place})
        page = newest(heard, begin, lambda raw: threadposts.post_of(raw, self._us, kind), "timestamp")
        if not self.query:  # of an account, what is left to publish is told instead
            page.limits = None
        cursors = heard.said["paging"].get("cursors") if isinstance(heard.said.get("paging"), dict) else None
        if isinstance(cursors, dict) and cursors.get("after") and len(heard.items) >= PAGE:
            page.following = {"after": str(cursors["after"])}
        return heard, page

    def _quota(self) -> Limits | None:
        """How many more answers Threads lets us publish within 24 hours, if it says so."""
        said = self._graph.get("me/threads_publishing_limit", fields="reply_quota_usage,reply_config").said
        told = next(objects(said), {})
        config = told.get("reply_config")
        used, most = told.get("reply_quota_usage"), config.get("quota_total") if isinstance(config, dict) else None
        return Limits(max(0, most - used), most) if isinstance(used, int) and isinstance(most, int) else None

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """One by one. What can not be seen is called gone only when nothing is missing of what we were granted."""
        found: dict[str, Post | None] = {}
        for id in ids:
            try:
                post = threadposts.post_of(self._graph.get(node(id), fields=FIELDS).said, self._us)
            except NotThere:
                found |= {id: None} if granted_all(self._granted, self._needed) else {}
            else:
                found |= {id: post} if isinstance(post, Post) else {}
        return found

    # Deliveries ---------------------------------------------------------------------------------------------------

    def posts_in(self, body: bytes) -> Iterator[Post | Unreadable]:
        return threadposts.delivered(body, _us(accounts.told(self, "account") or {}))

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        if reply.private or is_direct(reply):
            raise NotAllowed("What was said in private is not answered in public.")
        asked = {"media_type": "TEXT", "text": reply.text, "reply_to_id": reply.in_reply_to}
        with refusals.before_writing():
            self._check_quota()
            container = taken(self._graph.put("me/threads", **asked))
        id = self._published(container)
        return Sent(id, self._address(id), id)

    def _published(self, container: str) -> str:
        """Raises NotSent when the container is not ready yet: another try makes another one."""
        try:
            return taken(self._graph.put("me/threads_publish", creation_id=container))
        except refusals.NotKnown:
            raise NotSent("Threads was not ready yet to publish the answer.") from None

    def _check_quota(self) -> None:
        left = self._quota()
        if left and not left.remaining:
            until = datetime.now(UTC) + timedelta(hours=1)
            raise QuotaExhausted(f"All {left.limit:,} answers of 24 hours are published.", until=until)

    def _address(self, id: str) -> str:
        """Where people see it, if that can be asked: it stands there whatever comes of the question."""
        with suppress(ConnectorError):
            return str(self._graph.get(node(id), fields="permalink").said.get("permalink") or "")
        return ""

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        step = Step("answered")
        for _ in range(MOST_LOOKS):
            heard, page = self._list("me/replies", step, since)
            for raw in objects(heard.said):
                below = threadposts.above_of(raw) == reply.in_reply_to
                if below and messenger.is_ours(raw, "text", "timestamp", reply.text, since):
                    return Sent(str(raw["id"]), str(raw.get("permalink") or ""), str(raw["id"]))
            if page.reached or not page.following:
                break
            step = replace(step, place=page.following)
        return None

    def hide(self, target: Target, hidden: bool = True) -> None:
        """With all that stands below it."""
        if target.kind not in ("reply", ""):
            raise NotAllowed("Threads hides nothing but answers below our own posts.")
        self._graph.put(node(target.id, "manage_reply"), hide="true" if hidden else "false")

    def remove(self, target: Target) -> None:
        self._graph.delete(node(target.id))

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        me, given = self._asked_who(), self._granted
        granted, missing = grants.told(given, self._needed, SCOPES)
        name = f"@{me['handle']}"
        return Checked(f"Connected as {name}.", name, granted, missing, given.ends if given else None, me)

    def sign_in(self, back: str, state: str) -> SignIn:
        asked = {"client_id": self._app_id, "redirect_uri": back, "state": state, "response_type": "code"}
        return SignIn(oauth.page(f"{WWW}/oauth/authorize", **asked, scope=",".join(self._needed)))

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        form = {"client_id": self._app_id, "client_secret": self._secret, "redirect_uri": back}
        form |= {"code": code.removesuffix("#_"), "grant_type": "authorization_code"}
        brief = logins.token_for(replace(self._graph_with(""), version=""), **form)["access_token"]
        credentials = logins.of_sixty_days(self._graph_with(brief), "th", self._secret)
        anybody = {**self.settings, "account": ""}
        me = replace(self, settings=anybody, credentials={**self.credentials, **credentials}, known={})._asked_who()
        names = {name: me[name] for name in ("account", "handle")}
        return [Account(f"@{me['handle']}", {"account": me["account"]}, credentials | names)]

    def renew(self) -> Mapping[str, str]:
        return logins.renewed(self._graph, "th", self.credentials)

    # Who we are ---------------------------------------------------------------------------------------------------

    @property
    def _proves(self) -> bool:
        return False

    @property
    def _needed(self) -> dict[str, str]:
        return {each: what for each, what in SCOPES.items() if self.query or each != SEARCH}

    @cached_property
    def _granted(self) -> grants.Granted | None:
        """Threads tells it to whoever has the token."""
        try:
            return grants.inspect(self._graph, self.credentials.get("access_token", ""))
        except (Unreachable, MissingScope):
            return None

    @cached_property
    def _me(self) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """Our account as the credentials or the network told; what was asked is to be kept."""
        if told := accounts.told(self, "account"):
            return told, None
        me = self._asked_who()
        return me, me

    @property
    def _us(self) -> Us:
        return _us(self._me[0])

    def _asked_who(self) -> dict[str, str]:
        said = self._graph.get("me", fields="id,username").said
        if not said.get("id") or not said.get("username"):
            raise MakesNoSense("Threads does not say whose token this is.")
        if (wanted := self.settings.get("account")) and wanted != str(said["id"]):
            raise Misconfigured("The access token is not that of this account: sign in and choose it.")
        return {"account": str(said["id"]), "handle": str(said["username"]), "of": accounts.mark(self)}


def _us(told: Mapping[str, Any]) -> Us:
    return Us(frozenset(filter(None, (str(told.get("account") or ""),))), str(told.get("handle") or ""))
