"""What a network said, laid down in a file, is said again on loopback to the network's connector: `said` names a path
and the answers to it in their order, the last of them for ever."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors import normalise, registry
from connectors.contract import Connector, Post
from tests.connectors.web import Web, serving

#: Beside a situation's posts it holds these; both may be left out.
SETTINGS, CREDENTIALS = "settings", "credentials"


def situations(folder: Path) -> list[str]:
    return sorted(each.stem for each in folder.glob("*.json"))


@contextmanager
def playing(network: str, said: Mapping[str, list[Any]], **more: Any) -> Iterator[tuple[Connector, Web]]:
    """A connector whose network says just this."""
    left = {path: list(answers) for path, answers in said.items()}
    with serving() as web:
        web.answer = lambda handler: _say(web, handler, left)
        settings = {"base_url": web.url, "allow_private_hosts": True, "backfill_days": 36_500, **more.get(SETTINGS, {})}
        credentials = {"access_token": "token", **more.get(CREDENTIALS, {})}
        yield registry.connector_class(network)(slug="brand", settings=settings, credentials=credentials), web


def _say(web: Web, handler, left: dict[str, list[Any]]) -> None:
    length = int(handler.headers.get("Content-Length") or 0)
    web.asked.append((handler.command, handler.path, dict(handler.headers), handler.rfile.read(length)))
    answers = left.get(urlsplit(handler.path).path, [{}])
    said = answers.pop(0) if len(answers) > 1 else answers[0]
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def understood(network: str, recorded: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The posts that are read of what was said, as JSON, however many pages they fill."""
    with playing(network, recorded["said"], **{name: recorded.get(name, {}) for name in (SETTINGS, CREDENTIALS)}) as it:
        connector, cursor, found, more = it[0], {}, [], True
        while more:
            batch = connector.fetch(cursor)
            connector = replace(connector, known=connector.known | dict(batch.known or {}))
            cursor, more = json.loads(json.dumps(batch.cursor)), batch.more
            found += map(_as_json, batch.posts)
    return found


def _as_json(read: Any) -> dict[str, Any]:
    return normalise.as_json(read) if isinstance(read, Post) else {"unreadable": read.reason}
