"""Posts that another program delivers, signed, for every network that has no connector of its own; and, if that program
takes them, replies on their way back.

A delivery is a post as JSON, a list of posts, or `{"posts": […]}`; and the same inside a CloudEvent or a batch of them.
What it is, is read from the signed body and never from a header, for headers are not signed.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from connectors import http, signing
from connectors.contract import (
    KINDS,
    Batch,
    Capabilities,
    Checked,
    Connector,
    Outgoing,
    Post,
    Sent,
    Setting,
    Unreadable,
)
from connectors.errors import MakesNoSense, MaybeSent, Misconfigured, NotSent, Rejected
from connectors.normalise import LONGEST_ID, LONGEST_URL, post_from

LONGEST_PATIENCE = 20  # seconds for the other side to take a reply


@dataclass(frozen=True)
class Webhook(Connector):
    network = "webhook"
    name = "Webhook"
    capabilities = Capabilities(
        reads=KINDS,
        polls=False,
        hooks=True,
        replies=True,
        edits=True,
        deletions=True,
        missing={
            "searches": "cannot: the other side decides what it delivers",
            **dict.fromkeys(
                ("private_replies", "likes", "hides", "removes", "removes_of_others"),
                "not yet: the other side is only told of replies",
            ),
            "lookups": "not yet: the other side delivers edits and deletions itself",
            "signs_in": "cannot: both sides know a signing secret instead",
            "native_idempotency": "cannot: the other side may know our key, but need not",
        },
    )
    asks = (
        Setting(
            "reply_url",
            "Address for replies",
            "url",
            help="Answers are posted there, signed with the newest secret. Left empty, this channel only listens",
        ),
        Setting("longest_reply", "Longest reply", "number", help="In characters, if there is a limit", least=1),
    )
    heeds = frozenset(("allow_private_hosts",))
    secrets = (
        Setting(
            "secret",
            "Signing secret",
            help="Begins with whsec_. Several may be good at once, spaces between them, the newest first. Left empty, "
            "one is made on the channel’s page",
        ),
    )

    @property
    def offers(self) -> Capabilities:
        longest = self.settings.get("longest_reply")
        return replace(
            self.capabilities,
            replies=bool(self.settings.get("reply_url")),
            longest_reply=int(longest) if longest else None,
        )

    @classmethod
    def check_secrets(cls, credentials: Mapping[str, str]) -> None:
        try:
            signing.secrets_in(credentials.get("secret", ""))
        except ValueError as wrong:
            raise Misconfigured(fields={"secret": str(wrong)}) from None

    def fetch(self, cursor) -> Batch:
        return Batch((), dict(cursor))

    def check(self) -> Checked:
        if not self._secrets:
            return Checked("Nothing is accepted yet: there is no secret to sign with.")
        return Checked("There is nothing to connect to; the other side delivers.")

    # What comes in ------------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        return signing.verify(headers, body, self._secrets).id

    def posts_in(self, body: bytes) -> Iterator[Post | Unreadable]:
        try:
            said = json.loads(body)
        except UnicodeDecodeError:
            yield Unreadable(body, "The delivery is not UTF-8 text.")
        except (ValueError, RecursionError):
            yield Unreadable(body, "The delivery is not JSON.")
        else:
            yield from map(post_from, _unwrapped(said))

    @property
    def _secrets(self) -> list[str]:
        return signing.secrets_in(self.credentials.get("secret", ""))

    # What goes out ------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        body = {"type": "reply", "id": reply.client_key, "text": reply.text, "in_reply_to": reply.in_reply_to}
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"content-type": "application/json", **self._signature(content, reply.client_key)}
        answer = http.send(self._way_back, own=self._own, content=content, headers=headers, within=LONGEST_PATIENCE)
        if 300 <= answer.status < 400:
            raise Rejected("The address for replies sends us on to another one; set it to where it leads.")
        if not answer.ok:
            raise Rejected(f"The other side does not take this reply (it answered {answer.status}).")
        try:
            return _sent(answer)
        except MakesNoSense as error:
            raise MaybeSent(error.detail) from None

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        """The other side is asked for our own key, which is better than any comparing of texts."""
        url = f"{self._way_back}{'&' if '?' in self._way_back else '?'}client_key={quote(reply.client_key)}"
        headers = self._signature(b"", f"{reply.client_key}-look")
        answer = http.fetch(url, own=self._own, headers=headers)
        if answer.status == 404:
            return None
        if not answer.ok:
            raise MakesNoSense(f"Asked for a reply, the other side answered {answer.status}.")
        return _sent(answer)

    @property
    def _way_back(self) -> str:
        if not (url := self.settings.get("reply_url")):
            raise NotSent("This channel has no address for replies.")
        return url

    @property
    def _own(self) -> frozenset[http.Origin]:
        return http.own_servers(self.settings, "reply_url")

    def _signature(self, body: bytes, id: str) -> dict[str, str]:
        if not self._secrets:
            raise NotSent("This channel has no signing secret.")
        return signing.sign(self._secrets[0], body, id=id, at=datetime.now(UTC))


def _unwrapped(said: Any) -> Iterator[Any]:
    """The posts in what was delivered, whatever they are wrapped in; what is none comes out as it is."""
    todo = [said]  # the next one last: putting a long list before what waits would copy all of it each time
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo.extend(reversed(one))
        elif isinstance(one, dict) and isinstance(one.get("posts"), list):
            todo.extend(reversed(one["posts"]))
        elif isinstance(one, dict) and "specversion" in one:
            todo.append(_event_data(one))
        else:
            yield one


def _event_data(event: dict[str, Any]) -> Any:
    """What a CloudEvent is about: JSON, or the same packed as bytes."""
    if not isinstance(packed := event.get("data_base64"), str):
        return event.get("data")
    try:
        return json.loads(base64.b64decode(packed, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return packed


def _sent(answer: http.Answer) -> Sent:
    """Raises MakesNoSense for an answer that does not name the reply."""
    said = answer.json()
    found = said.get("id") if isinstance(said, dict) else None
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_ID or "\0" in found:
        raise MakesNoSense("The other side did not say under which id it took the reply.")
    url = said.get("url")
    usable = isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= LONGEST_URL
    return Sent(found, url if usable else "")
