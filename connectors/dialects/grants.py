"""What Meta has granted our app, asked of Meta itself and told in the admin's words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.dialects.graph import Graph
from connectors.errors import MissingScope, NotAuthorized


@dataclass(frozen=True)
class Granted:
    """What a token may do, and when Meta stops it."""

    scopes: frozenset[str]
    ends: datetime | None = None

    def missing(self, wanted: Iterable[str]) -> list[str]:
        return [each for each in wanted if each not in self.scopes]


def inspect(app: Graph, token: str) -> Granted:
    """What Meta says of this token to the app that it was given to. Raises NotAuthorized when it is good no more."""
    # Told in the body and read all the same: a token has no place in an address.
    said = app.ask("debug_token", input_token=token, method="get").said.get("data")
    said = said if isinstance(said, dict) else {}
    if said.get("is_valid") is False:
        raise NotAuthorized("The access token is not good any more.")
    scopes = [each for each in said.get("scopes") or () if isinstance(each, str)]
    ends = [_moment(said.get(name)) for name in ("expires_at", "data_access_expires_at")]
    return Granted(frozenset(scopes), min(filter(None, ends), default=None))


def in_words(scopes: Iterable[str], words: Mapping[str, str]) -> tuple[str, ...]:
    """These permissions as an admin knows them."""
    return tuple(f"{words.get(each, 'more')} ({each})" for each in scopes)


def told(
    given: Granted | None, needed: Iterable[str], words: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was granted and what is missing of what is needed, as an admin knows it; nothing where Meta did not say."""
    if given is None:
        return (), ()
    granted = tuple(what for scope, what in words.items() if scope in given.scopes)
    return granted, in_words(given.missing(needed), words)


def named(error: MissingScope, scopes: Iterable[str], words: Mapping[str, str]) -> MissingScope:
    """The same refusal with what it takes, where Meta did not say."""
    wanted = error.scopes or tuple(scopes)
    return MissingScope(f"The app may not {', '.join(in_words(wanted, words))}.", wanted)


def _moment(seconds: Any) -> datetime | None:
    """Zero is never."""
    if not isinstance(seconds, int | float) or seconds <= 0:
        return None
    return datetime.fromtimestamp(min(seconds, 4e9), UTC)
