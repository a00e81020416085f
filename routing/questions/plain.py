"""Questions about what the network tells of a post: where it came in, what it is, its language, its stars."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from routing.facts import Facts
from routing.parts import Among, Hit, Question
from routing.questions.numbers import Number
from routing.questions.values import Kinds, Languages, Networks, Some, known
from routing.saying import asked, kind_name, language_name, listed, negated, network_name, quoted, stars


class OneOf(Among):
    """The fact is one of those named."""

    #: Its name in `Facts`.
    fact: ClassVar[str]
    asks = {"in": ("is", "is not")}
    op: Literal["in"] = "in"
    value: Some

    @classmethod
    def values_of(cls, facts: Facts) -> tuple[str, ...]:
        return (getattr(facts, cls.fact),)


class Network(OneOf):
    title = "Network"
    fact = "network"
    field: Literal["network"] = "network"
    value: Networks

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it is {negated(yes, 'from')} {listed(map(network_name, self.value), most=most)}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return f"it is from {network_name(facts.network)}, {asked(map(network_name, self.value), most)}"


class Kind(OneOf):
    title = "Kind of message"
    hint = "Of mention, reply, comment, dm, review, post, article; with commas between them"
    fact = "kind"
    field: Literal["kind"] = "kind"
    value: Kinds

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it is {negated(yes, listed(map(kind_name, self.value)))}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return f"it is {kind_name(facts.kind)}, {asked(map(kind_name, self.value), most)}"


class ChannelIs(OneOf):
    title = "Channel"
    hint = "The channels’ short names, with commas between them"
    fact = "channel"
    field: Literal["channel"] = "channel"

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it {'came' if yes else 'did not come'} in through {listed(quoted(self.value), most=most)}"


class Language(Among):
    """The language, as the network says or as it reads; `pt` asks for Portuguese of any country."""

    title = "Language"
    asks = {"in": ("is", "is not")}
    hint = "Codes or names, with commas between them: de, French"
    field: Literal["lang"] = "lang"
    op: Literal["in"] = "in"
    value: Languages

    @classmethod
    def values_of(cls, facts: Facts) -> tuple[str, ...]:
        lang = facts.lang.lower()
        return (lang, lang.split("-")[0]) if "-" in lang else (lang,)

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
    fact = "visibility"
    field: Literal["visibility"] = "visibility"

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"its visibility is {negated(yes, listed(quoted(self.value), most=most))}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return f"its visibility is “{facts.visibility}”, {asked(quoted(self.value), most)}"


class Trait(Among):
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

    @classmethod
    def values_of(cls, facts: Facts) -> list[str]:
        text = facts.words.folded
        true = (
            ("answers_us", facts.is_reply_to_us),
            ("link", facts.links),
            ("media", facts.has_media),
            ("question", "?" in text or "؟" in text),
            ("verified", facts.verified),
        )
        return [trait for trait, is_so in true if is_so]

    def matches(self, facts: Facts) -> Hit | None:
        there = self.values_of(facts)
        found = [self.KNOWN[trait][0] for trait in self.value if trait in there]
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
