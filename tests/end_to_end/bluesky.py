"""A Bluesky network of its own on loopback, from Bluesky's own test tooling, and people who write on it.

Its packages are pinned (`network/package-lock.json`) and kept in the user's cache, so that only the first run installs
them. Its database and its Redis are the house's embedded ones, a second time.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from socialhub.embedded import processes, programs, servers
from socialhub.embedded.places import Places
from tests.end_to_end.told import Skipped
from tests.launcher.house import eventually, free_port

NETWORK = Path(__file__).with_name("network")
OLDEST_NODE = 18
PATIENCE = 90  # seconds for the network to be up


def install(say) -> Path:
    """The folder in which the network's packages are. Raises Skipped where they can not be had."""
    _look_for_node()
    pinned = hashlib.sha256((NETWORK / "package-lock.json").read_bytes()).hexdigest()[:12]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "social-hub"
    folder = base / f"bluesky-{pinned}"
    if not (folder / "whole").exists():
        say(f"Installing the network's packages into {folder}: some minutes, once")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NETWORK / name, folder)
        _npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        # The one that is made of C; the others need no scripts.
        _npm(folder, "rebuild", "better-sqlite3", "--ignore-scripts=false")
        (folder / "whole").touch()
    shutil.copy(NETWORK / "network.mjs", folder)
    return folder


def _look_for_node() -> None:
    if not shutil.which("node") or not shutil.which("npm"):
        raise Skipped("this needs Node.js with npm")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    if not said or int(said.strip().removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        raise Skipped(f"this needs Node.js {OLDEST_NODE} or newer; here is {said.strip() or 'none that runs'}")


def _npm(folder: Path, *words: str) -> None:
    done = subprocess.run(["npm", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing"])[0]
        raise Skipped(f"npm {words[0]} failed: {last[:200]}")


@contextmanager
def running(folder: Path, say) -> Iterator["Network"]:
    """The network, up."""
    packages = install(say)
    places, port = Places(folder), free_port()
    places.make()
    with servers.running(places, careless=True):
        words = [programs.valkey(places), "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]
        redis = processes.start(words, places.log("redis"), Path("/"), **programs.identity())
        database = f"postgresql://socialhub@localhost/socialhub?host={places.sockets}"
        command = ["node", "network.mjs", database, f"127.0.0.1:{port}"]
        environment = os.environ | {"NODE_NO_WARNINGS": "1"}
        node = processes.start(command, places.log("network"), packages, env=environment)
        try:
            yield Network(_addresses(places.log("network"), node)["pds"])
        finally:
            processes.end([node, redis], 10)


def _addresses(log: Path, node: int) -> dict[str, str]:
    """What the network says of itself once it is up."""

    def said() -> list[str]:
        assert processes.alive(node), log.read_text()[-2_000:]
        return [line for line in log.read_text().splitlines() if line.startswith('{"pds"')]

    eventually(said, PATIENCE)
    return json.loads(said()[0])


@dataclass
class Network:
    """Where its accounts live."""

    address: str

    def join(self, name: str) -> "Person":
        """A new account `name.test`."""
        made = {"handle": f"{name}.test", "email": f"{name}@example.org", "password": "a long enough word"}
        said = self.call("com.atproto.server.createAccount", made)
        person = Person(self, said["handle"], said["did"], said["accessJwt"])
        profile = {"$type": "app.bsky.actor.profile", "displayName": name.title()}
        whose = {"repo": person.did, "collection": "app.bsky.actor.profile", "rkey": "self", "record": profile}
        person.call("com.atproto.repo.putRecord", whose)
        return person

    def call(self, method: str, said: dict | None = None, token: str = "", **asked: Any) -> dict[str, Any]:
        """Ask the network, or tell it something."""
        request = urllib.request.Request(
            f"{self.address}/xrpc/{method}?{urlencode(asked)}",
            data=None if said is None else json.dumps(said).encode(),
            headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


@dataclass
class Person:
    """Somebody with an account, at their own telephone."""

    network: Network
    handle: str
    did: str
    token: str

    def call(self, method: str, said: dict | None = None, **asked: Any) -> dict[str, Any]:
        return self.network.call(method, said, self.token, **asked)

    def app_password(self) -> str:
        """One for a program of theirs."""
        return self.call("com.atproto.server.createAppPassword", {"name": "hub"})["password"]

    def mention(self, other: "Person", words: str) -> str:
        """Write to somebody; the address of the post."""
        text = f"@{other.handle} {words}"
        link = {"$type": "app.bsky.richtext.facet#mention", "did": other.did}
        facet = {"index": {"byteStart": 0, "byteEnd": len(other.handle) + 1}, "features": [link]}
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": now, "langs": ["en"], "facets": [facet]}
        return self._create("app.bsky.feed.post", record)

    def delete(self, uri: str) -> None:
        *_, collection, key = uri.split("/")
        self.call("com.atproto.repo.deleteRecord", {"repo": self.did, "collection": collection, "rkey": key})

    def _create(self, collection: str, record: dict) -> str:
        return self.call(
            "com.atproto.repo.createRecord", {"repo": self.did, "collection": collection, "record": record}
        )["uri"]

    def answers_to(self, uri: str) -> list[dict[str, str]]:
        """What stands below this post, as this person sees it: by whom, and what it says."""
        try:
            thread = self.call("app.bsky.feed.getPostThread", uri=uri, depth=2)["thread"]
        except urllib.error.HTTPError:
            time.sleep(0.3)  # the app view has not heard of it yet
            return []
        posts = [each["post"] for each in thread.get("replies", ())]
        return [{"by": each["author"]["handle"], "text": each["record"]["text"]} for each in posts]
