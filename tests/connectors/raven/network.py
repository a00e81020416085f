"""The connector of the raven network: walks back from the head, is delivered to, and does whatever may be done."""

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import http, tokens
from connectors.contract import Batch, Capabilities, Checked, Connector, Post, Sent, Setting, Unreadable
from connectors.errors import (
    CreditsUsedUp,
    Forged,
    MakesNoSense,
    MaybeSent,
    MissingScope,
    NotAuthorized,
    RateLimited,
    Rejected,
    ServerFailed,
)
from connectors.normalise import post_from

OVERLAP = timedelta(minutes=5)


@dataclass(frozen=True)
class Raven(Connector):
    network = "raven"
    name = "Raven"
    capabilities = Capabilities(
        reads=frozenset(("mention", "comment", "dm")),
        hooks=True,
        replies=True,
        private_replies=True,
        likes=True,
        hides=True,
        removes=True,
        longest_reply=300,
        edits=True,
        deletions=True,
        lookups=True,
        searches=True,
        global_ids=True,
        native_idempotency=True,
        missing={"signs_in": "cannot: ravens are told a word"},
    )
    secrets = (
        Setting("access_token", "Access token", required=True),
        Setting("refresh_token", "Refresh token"),
        Setting("secret", "Signing secrets"),
        Setting("issued_at", "Issued"),
        Setting("expires_at", "Ends"),
    )

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor) -> Batch:
        now = datetime.now(UTC)
        walk = cursor.get("walk") or {"anchor": "", "before": ""}
        asked = {"before": walk["before"], "query": self.settings.get("query", "")}
        answer = self._ask("GET", "/posts", params=asked)
        posts = [_post(each) for each in _listed(answer, "posts")]
        times = [each.created_at for each in posts if isinstance(each, Post)]
        walk["anchor"] = walk["anchor"] or min(max(times, default=now), now).isoformat()
        done = bool(times) and min(times) < self._until(cursor, now)
        following = answer.get("next") or ""
        if following and not done:
            return Batch(posts, dict(cursor) | {"walk": walk | {"before": following}}, more=True)
        return Batch(posts, {"anchor": walk["anchor"]}, **self._gap(cursor, done, following, times, now))

    def _until(self, cursor, now: datetime) -> datetime:
        if anchor := cursor.get("anchor"):
            return datetime.fromisoformat(anchor) - OVERLAP
        return now - timedelta(days=self.settings.get("backfill_days", 7))

    def _gap(self, cursor, done: bool, following: str, times, now: datetime) -> dict[str, Any]:
        """The network had no more, though what we know was not reached: it does not show it any more."""
        anchor = cursor.get("anchor")
        if not anchor:
            return {}
        since = datetime.fromisoformat(anchor)
        if done or not times or min(times) <= since:
            return {"covered": (since, now)}
        return {"gap": "The network shows no more.", "gap_since": since, "gap_until": min(times)}

    def lookup(self, ids):
        said = _listed(self._ask("GET", "/posts", params={"ids": ",".join(ids)}), "posts")
        found = {each["id"]: post for each in said if isinstance(post := _post(each), Post)}
        return {id: found.get(id) for id in ids}

    def check(self) -> Checked:
        return Checked(f"Connected as {self._ask('GET', '/me')['name']}.")

    # Deliveries ---------------------------------------------------------------------------------------------------

    def verify(self, headers, body: bytes) -> str:
        given = headers.get("x-raven-signature", "")
        moment = headers.get("x-raven-time", "")
        signed = moment.encode("utf-8", "surrogateescape") + b"." + body
        secrets = self.credentials.get("secret", "").split()
        right = [hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secrets]
        if not sum(hmac.compare_digest(each, given) for each in right if given.isascii()):
            raise Forged("no signature fits")
        if abs(datetime.now(UTC).timestamp() - float(moment)) > 300:
            raise Forged("too old")
        return hashlib.sha256(body).hexdigest()

    def posts_in(self, body: bytes):
        for each in json.loads(body)["posts"]:
            yield _post(each)

    def handshake(self, params) -> str:
        if not hmac.compare_digest(params.get("word", ""), self.credentials.get("secret", "").split()[0]):
            raise Forged("the wrong word")
        return params["challenge"]

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply) -> Sent:
        direct = reply.private or (reply.to and reply.to.visibility == "direct")
        said = {"text": reply.text, "answers": reply.in_reply_to, "key": reply.client_key, "direct": bool(direct)}
        return _sent(self._do("POST", "/posts", json=said))

    def find_sent(self, reply, since) -> Sent | None:
        found = _listed(self._ask("GET", "/posts", params={"key": reply.client_key}), "posts")
        return _sent(found[0]) if found else None

    def like(self, target) -> None:
        self._do("POST", f"/posts/{target.id}/like")

    def hide(self, target, hidden: bool = True) -> None:
        self._do("POST", f"/posts/{target.id}/hide", json={"hidden": hidden})

    def remove(self, target) -> None:
        self._do("DELETE", f"/posts/{target.id}")

    def renew(self):
        said = self._ask("POST", "/token", json={"refresh": self.credentials.get("refresh_token", "")})
        renewed = {"access_token": said["access"], "refresh_token": said["refresh"]}
        return {**self.credentials, **renewed, **tokens.lasting(said["seconds"])}

    # The way there ------------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, **request) -> dict[str, Any]:
        answer = http.exchange(**self._request(method, path), **request)
        _judge(answer)
        if answer.status >= 500:
            raise ServerFailed
        return _object(answer.json())

    def _do(self, method: str, path: str, **request) -> dict[str, Any]:
        answer = http.exchange(**self._request(method, path), once=True, **request)
        _judge(answer)
        if answer.status >= 500 or not answer.ok and answer.status < 400:
            raise MaybeSent(f"Raven answered {answer.status}.")
        try:
            said = _object(answer.json())
        except MakesNoSense as error:
            raise MaybeSent(error.detail) from None
        if not answer.ok:
            raise Rejected(str(said.get("error") or "Raven does not take it."))
        return said

    def _request(self, method: str, path: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.credentials['access_token']}"}
        base = self.settings.get("base_url") or "https://raven.example"
        return {"url": base + path, "method": method, "own": http.own_servers(self.settings), "headers": headers}


def _judge(answer: http.Answer) -> None:
    if answer.status == 429:
        raise RateLimited(until=http.asked_wait(answer.headers))
    if answer.status == 401:
        raise NotAuthorized("Raven does not know this token.")
    if answer.status == 402:
        raise CreditsUsedUp
    if answer.status == 403:
        raise MissingScope(scopes=("read",))


def _object(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise MakesNoSense("Raven did not answer with an object.")
    return said


def _listed(said: dict[str, Any], name: str) -> list:
    if not isinstance(found := said.get(name), list):
        raise MakesNoSense(f"Raven's answer has no {name}.")
    return found


def _post(said: dict[str, Any]) -> Post | Unreadable:
    read = post_from(said | {"global_id": said["id"]}, global_ids=True)
    # A deletion has no text.
    return replace(read, text="") if isinstance(read, Post) and read.deleted else read


def _sent(said: dict[str, Any]) -> Sent:
    return Sent(said["id"], said.get("url", ""), said["id"])
