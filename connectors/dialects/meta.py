"""What the connectors of Facebook, Instagram and Threads have in common: one app with its secrets, deliveries signed by
it, and objects that are told alike."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from connectors import accounts, http
from connectors.contract import Connector, Outgoing, Post, Setting, Unreadable
from connectors.dialects import grants, hub
from connectors.dialects.graph import BUILT_IN, VERSION, Graph, Heard
from connectors.dialects.hub import moment
from connectors.dialects.messenger import Us, is_message
from connectors.errors import MaybeSent, Misconfigured, NotConnected, Unreachable
from connectors.normalise import post_from
from connectors.walking import Page

APP_ID = Setting("app_id", "App ID", help="Of your app at developers.facebook.com")
SECRETS = (
    Setting("access_token", "Access token", help="Filled in by signing in"),
    Setting("app_secret", "App secret", help="Several may be good at once, spaces between them, the newest first"),
    Setting("verify_token", "Verify token", help="Any words of yours; enter the same where Meta asks for them"),
)


@dataclass(frozen=True)
class MetaConnector(Connector):
    """A network of Meta's. Subclasses say at which `host` it lives, and in `words` what has to be granted and what
    for."""

    host: ClassVar[str] = BUILT_IN
    version: ClassVar[str] = VERSION
    one_address: ClassVar[bool] = True
    words: ClassVar[Mapping[str, str]] = {}

    # Deliveries ---------------------------------------------------------------------------------------------------

    def handshake(self, params: Mapping[str, str]) -> str:
        return hub.handshake(params, self.credentials.get("verify_token", ""))

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        return hub.verify(headers, body, self.credentials.get("app_secret", ""))

    def delivers_to(self, other: Connector) -> bool:
        """Whoever knows a secret of the same app would have found the delivery signed. A channel that does not know yet
        which account it is would take what is another's."""
        shared = {*self.credentials.get("app_secret", "").split()} & {*other.credentials.get("app_secret", "").split()}
        is_somebody = accounts.told(other, "account") or other.settings.get("page") or other.settings.get("account")
        return bool(shared and is_somebody)

    # The way there ------------------------------------------------------------------------------------------------

    @property
    def _graph(self) -> Graph:
        """With the channel's own token."""
        if not (token := self.credentials.get("access_token", "")):
            raise NotConnected("There is no access token yet.")
        return self._graph_with(token, self._secret if self._proves else "")

    @property
    def _app(self) -> Graph:
        """With the app's own."""
        return self._graph_with(f"{self._app_id}|{self._secret}")

    def _graph_with(self, token: str, secret: str = "", host: str = "") -> Graph:
        return Graph(token, secret, self._at(host or self._host), self.version, http.own_servers(self.settings))

    def _at(self, address: str) -> str:
        """Where to ask what is asked of this address: all of it of a server of one's own, if there is one."""
        return (self.settings.get("base_url") or address).rstrip("/")

    @property
    def _host(self) -> str:
        return self.host

    @property
    def _proves(self) -> bool:
        """Whether the network knows the proof that a call comes from our app."""
        return True

    @property
    def _secret(self) -> str:
        """The newest of the app's secrets."""
        return next(iter(self.credentials.get("app_secret", "").split()), "")

    @property
    def _app_id(self) -> str:
        if not self.settings.get("app_id") or not self._secret:
            raise Misconfigured("App ID and app secret are needed for this; they stand at developers.facebook.com.")
        return str(self.settings["app_id"])

    @cached_property
    def _granted(self) -> grants.Granted | None:
        """What we were granted, if Meta tells us."""
        try:
            return grants.inspect(self._app, self.credentials.get("access_token", ""))
        except (Misconfigured, Unreachable):
            return None


# What they tell ---------------------------------------------------------------------------------------------------


def made(raw: Mapping[str, Any], us: Us, *, time: str = "created_time", **facts: Any) -> Post | Unreadable:
    """A post, comment or review as Graph tells it. `facts` win over what stands in it under Facebook's names."""
    who = raw.get("from") if isinstance(raw.get("from"), dict) else {}
    ours, id, at = us.is_me(who), raw.get("id"), moment(raw.get(time), None)
    said = {
        "id": str(id) if id else None,
        "global_id": str(id) if id else None,
        "text": raw.get("message") or "",
        "created_at": at.isoformat() if at else None,
        "direction": "out" if ours else "in",
        "author": None if ours else person(who),
        "url": raw.get("permalink_url") or "",
    }
    return post_from(said | facts, global_ids=True)


def person(who: Mapping[str, Any]) -> dict[str, Any] | None:
    """An author; None where the network does not say who it was, as it often does."""
    id = who.get("id") or who.get("username")
    if not id:
        return None
    return {"id": str(id), "handle": str(who.get("username") or ""), "name": str(who.get("name") or "")}


def page_of(heard: Heard) -> Page:
    return Page(following=heard.following, at=heard.at, limits=heard.limits)


def newest(heard: Heard, since: datetime, make: Callable[[Any], Post | Unreadable], time: str = "created_time") -> Page:
    """What is new on a page of an edge that shows the newest first."""
    page, times, posts = page_of(heard), [], []
    for raw in heard.items:
        at = moment(raw.get(time), heard.at) if isinstance(raw, dict) else heard.at
        times.append(at)
        if at >= since:
            posts.append(make(raw) if isinstance(raw, dict) else Unreadable(raw, "A post has to be a JSON object."))
    page.posts, page.reached = posts, bool(times) and min(times) < since
    return page


def objects(said: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of an edge, wherever it stands."""
    said = said.get("data") if isinstance(said, dict) else said
    return (each for each in said if isinstance(each, dict)) if isinstance(said, list) else iter(())


def is_direct(reply: Outgoing) -> bool:
    """Whether what is answered was said in private, by its id alone if nothing else tells."""
    return is_message(reply.in_reply_to) or reply.is_direct


def taken(said: Mapping[str, Any]) -> str:
    """Under which id the network took what we wrote. Raises MaybeSent."""
    if not isinstance(id := said.get("id"), str) or not id:
        raise MaybeSent("The network did not say under which id it took the reply.")
    return id


def granted_all(given: grants.Granted | None, wanted: Mapping[str, str]) -> bool:
    """Whether it is certain that nothing is missing: only then "not there" is believed."""
    return given is not None and not given.missing(wanted)
