"""Questions about what the network tells of a post: where it came in, what it is, its language, its stars."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from routing.facts import Facts
from routing.parts import Check, Hit, Index, Question
from routing.questions.numbers import Number
from routing.questions.values import Kinds, Languages, Networks, Some, known
from routing.saying import asked, kind_name, language_name, listed, negated, network_name, quoted, stars


class OneOf(Question):
    """The fact is one of those named."""

    asks = {"in": ("is", "is not")}
    op: Literal["in"] = "in"
    value: Some

    def fact(self, facts: Facts) -> str:
        return str(getattr(facts, self.field))

    @cached_property
    def wanted(self) -> frozenset[str]:
        return frozenset(self.value)

    def holds(self, facts: Facts) -> bool:
        return self.fact(facts) in self.wanted


class Network(OneOf):
    title = "Network"
    field: Literal["network"] = "network"
    value: Networks

    def check(self, index: Index) -> Check:
        wanted = self.wanted
        return lambda found, facts: facts.network in wanted

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it is {negated(yes, 'from')} {listed(map(network_name, self.value), most=most)}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return f"it is from {network_name(facts.network)}, {asked(map(network_name, self.value), most)}"


class Kind(OneOf):
    title = "Kind of message"
    hint = "Of mention, reply, comment, dm, review, post, article; with commas between them"
    field: Literal["kind"] = "kind"
    value: Kinds

    def check(self, index: Index) -> Check:
        wanted = self.wanted
        return lambda found, facts: facts.kind in wanted

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it is {negated(yes, listed(map(kind_name, self.value)))}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return f"it is {kind_name(facts.kind)}, {asked(map(kind_name, self.value), most)}"


class ChannelIs(OneOf):
    title = "Channel"
    hint = "The channels’ short names, with commas between them"
    field: Literal["channel"] = "channel"

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it {'came' if yes else 'did not come'} in through {listed(quoted(self.value), most=most)}"


class Language(Question):
    """The language, as the network says or as it reads; `pt` asks for Portuguese of any country."""

    title = "Language"
    asks = {"in": ("is", "is not")}
    hint = "Codes or names, with commas between them: de, French"
    field: Literal["lang"] = "lang"
    op: Literal["in"] = "in"
    value: Languages

    @cached_property
    def wanted(self) -> frozenset[str]:
        return frozenset(self.value)

    def holds(self, facts: Facts) -> bool:
        lang = facts.lang.lower()
        return lang in self.wanted or lang.split("-")[0] in self.wanted

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it is {negated(yes, 'written')} in {listed(map(language_name, self.value), most=most)}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        unknown = facts.lang in ("", "und")
        found = "its language is not known" if unknown else f"it is written in {language_name(facts.lang)}"
        return f"{found}, {asked(map(language_name, self.value), most)}"


class Rating(Number):
    """The stars of a review. A post without any is neither good nor bad."""

    title = "Rating"
    asks = {"at_least": ("at least", "not known to be at least"), "at_most": ("at most", "not known to be at most")}
    hint = "A number of stars"
    field: Literal["rating"] = "rating"
    op: Literal["at_least", "at_most"]
    value: Annotated[int, Field(ge=0, le=100)]

    def holds(self, facts: Facts) -> bool:
        if facts.rating is None:
            return False
        return facts.rating >= self.value if self.op == "at_least" else facts.rating <= self.value

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it {'gives' if yes else 'is not known to give'} {self._many()}"

    def _many(self) -> str:
        return f"{stars(self.value)} {'or more' if self.op == 'at_least' else 'or fewer'}"

    def matches(self, facts: Facts) -> Hit | None:
        return Hit((f"it gives {stars(facts.rating)}",)) if self.holds(facts) and facts.rating is not None else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        if facts.rating is None:
            return f"it gives no rating, the rule asks for {self._many()}"
        return f"it gives {stars(facts.rating)}, the rule asks for {self._many()}"


class Visibility(OneOf):
    title = "Visibility"
    hint = "Such as public, unlisted, private, direct"
    field: Literal["visibility"] = "visibility"

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"its visibility is {negated(yes, listed(quoted(self.value), most=most))}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return f"its visibility is “{facts.visibility}”, {asked(quoted(self.value), most)}"


class Trait(Question):
    """What else is plainly true of a post."""

    #: word → how it is said of a post that has it, and of one that has not.
    KNOWN: ClassVar[Mapping[str, tuple[str, str]]] = {
        "answers_us": ("it answers one of our posts", "it does not answer a post of ours"),
        "link": ("it holds a link", "it holds no link"),
        "media": ("it has a picture or video", "it has no picture or video"),
        "question": ("it asks a question", "it asks no question"),
        "verified": ("its author is verified", "its author is not verified"),
    }
    title = "Besides"
    asks = {"any": ("is any of", "is none of")}
    hint = "Of answers_us, link, media, question, verified; with commas between them"
    field: Literal["trait"] = "trait"
    op: Literal["any"] = "any"
    value: Annotated[Some, AfterValidator(lambda words: known(words, Trait.KNOWN, "trait"))]

    def holds(self, facts: Facts) -> bool:
        return any(self._has(facts, trait) for trait in self.value)

    def _has(self, facts: Facts, trait: str) -> bool:
        match trait:
            case "answers_us":
                return facts.is_reply_to_us
            case "link":
                return bool(facts.links)
            case "media":
                return facts.has_media
            case "question":
                return "?" in facts.words.folded or "؟" in facts.words.folded
            case _:
                return facts.verified

    def matches(self, facts: Facts) -> Hit | None:
        found = [self.KNOWN[trait][0] for trait in self.value if self._has(facts, trait)]
        return Hit(tuple(found)) if found else None

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return listed((self.KNOWN[trait][0 if yes else 1] for trait in self.value), "or" if yes else "and")


class Every(Question):
    """Whatever comes: for a last rule that takes what is left."""

    title = "Every post"
    asks = {"any": ("whatever it is", "never")}
    hint = "Nothing to fill in"
    field: Literal["post"] = "post"
    op: Literal["any"] = "any"
    value: None = None

    def holds(self, facts: Facts) -> bool:
        return True

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return "it is a post at all" if yes else "it is no post"

    def typed(self) -> str:
        return ""

    @classmethod
    def value_of(cls, typed: str) -> Any:
        return None
