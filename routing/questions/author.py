"""Questions about who wrote it."""

from functools import cached_property
from typing import ClassVar, Literal

from routing.facts import Facts
from routing.parts import Among
from routing.questions.looked_up import AnyOf
from routing.questions.numbers import LIMITS, Between, Counted, Limit
from routing.questions.values import Names, Slugs
from routing.saying import listed, negated, quoted
from routing.words import fold


class AuthorIs(Among):
    """Written by one of these people: by handle, or by the network's id."""

    title = "Author"
    asks = {"in": ("is", "is not")}
    hint = "Handles, with commas between them"
    field: Literal["author"] = "author"
    op: Literal["in"] = "in"
    value: Names

    @cached_property
    def wanted(self) -> frozenset[str]:
        return frozenset(map(fold, self.value))

    @classmethod
    def values_of(cls, facts: Facts) -> tuple[str, ...]:
        return fold(facts.author_handle.lstrip("@")), fold(facts.author_id)

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it is {negated(yes, 'by')} {listed([f'@{name}' for name in self.value], most=most)}"


class AuthorListed(AnyOf):
    """Written by somebody who stands on a list of people."""

    title = "Author"
    asks = {"any": ("is on any of the lists", "is on none of the lists")}
    hint = "The lists’ short names, with commas between them"
    needs = "author_lists"
    kind = "lists"
    field: Literal["author_list"] = "author_list"
    op: Literal["any"] = "any"
    value: Slugs

    def say(self, yes: bool = True, most: int | None = None) -> str:
        many = "list" if len(self.value) == 1 else "lists"
        where = f"{many} {listed(quoted(self.value), most=most)}"
        return f"its author is on the {where}" if yes else f"its author is not known to be on the {where}"


class _Followers(Counted):
    has: ClassVar = ("the author has", "the author is not known to have")
    what: ClassVar = "followers"
    unknown: ClassVar = "the network does not tell how many followers the author has"


class FollowersBetween(Between, _Followers):
    title = "Followers"
    asks = {"between": LIMITS["between"]}
    field: Literal["followers"] = "followers"


class Followers(Limit, _Followers):
    """How many follow the author. Where the network does not say, it is neither many nor few."""

    title = "Followers"
    asks = LIMITS
    ways: ClassVar = {"between": FollowersBetween}
    field: Literal["followers"] = "followers"


class _AuthorMessages(Counted):
    has: ClassVar = ("the author wrote", "the author is not known to have written")
    what: ClassVar = "messages within seven days"
    unknown: ClassVar = "it is not known how often the author wrote"
    needs = "author_messages"

    def found(self, number: int) -> str:
        return "the author wrote 1 message within seven days" if number == 1 else super().found(number)


class AuthorMessagesBetween(Between, _AuthorMessages):
    title = "Messages of the author"
    asks = {"between": LIMITS["between"]}
    field: Literal["author_messages"] = "author_messages"


class AuthorMessages(Limit, _AuthorMessages):
    """How many messages the author sent within seven days, this one counted."""

    title = "Messages of the author"
    asks = LIMITS
    hint = "How many within seven days, this one counted"
    ways: ClassVar = {"between": AuthorMessagesBetween}
    field: Literal["author_messages"] = "author_messages"
