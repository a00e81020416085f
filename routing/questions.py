"""The single questions that a rule may ask of a post, a class for each: its words, its check, its answer.

A question says itself (`say`), answers whether it `holds`, tells where and why it fits (`matches`) and what a post
lacks (`missing`). What a person types into the form becomes its value by `from_typed`, and `typed` gives it back. The
README of this folder tells how to add one.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import time
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo, available_timezones

from django.conf.locale import LANG_INFO
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from connectors.contract import KINDS
from routing.facts import Facts
from routing.parts import Hit, Question, Span
from routing.saying import asked, kind_name, language_name, listed, negated, network_name, quoted, stars
from routing.words import Term, fold

MOST_TERMS = 200
LONGEST_TERM = 100


# What may be written ------------------------------------------------------------------------------------------
def wrong(sentence: str) -> PydanticCustomError:
    """An error whose sentence is shown as it stands."""
    return PydanticCustomError("wrong", "{sentence}", {"sentence": sentence})


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _distinct(terms: list[str]) -> list[str]:
    """Each once, however it is written; the first spelling stays."""
    kept: dict[str, str] = {}
    for term in terms:
        if not (folded := fold(term)):
            raise wrong("A term is empty.")
        kept.setdefault(folded, " ".join(term.split()))
    return list(kept.values())


def _bare(names: list[str]) -> list[str]:
    return _distinct([name.strip().lstrip("@#＠＃") for name in names])


def _of_kinds(kinds: list[str]) -> list[str]:
    return _known(kinds, KINDS, "kind of message")


def _known(words: list[str], known: Iterable[str], what: str) -> list[str]:
    words = [word.strip().lower() for word in words]
    if strange := [word for word in words if word not in known]:
        raise wrong(f"{listed(quoted(strange))} is no {what}; there are {listed(sorted(known), 'and')}.")
    return list(dict.fromkeys(words))


def _languages(words: list[str]) -> list[str]:
    return [_language_code(word.strip().lower()) for word in words]


def _language_code(word: str) -> str:
    if word in LANG_INFO or re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", word):
        return word
    for code, info in LANG_INFO.items():
        if word == info.get("name", "").lower():
            return code
    raise wrong(f"“{word}” is no language; write a code such as de, or a name such as German.")


def _zone(name: str) -> str:
    if name not in _zones():
        raise wrong(f"“{name}” is no time zone; write one such as Europe/Berlin.")
    return name


_zones = cache(available_timezones)

_Word = Annotated[str, Field(max_length=LONGEST_TERM)]
_List = Annotated[list[_Word], BeforeValidator(_as_list), Field(min_length=1, max_length=MOST_TERMS)]
Terms = Annotated[_List, AfterValidator(_distinct)]
Names = Annotated[_List, AfterValidator(_bare)]


# The questions ------------------------------------------------------------------------------------------------
class OneOf(Question):
    """The fact is one of those named."""

    asks = {"in": ("is", "is not")}
    op: Literal["in"] = "in"
    value: _List

    def fact(self, facts: Facts) -> str:
        return str(getattr(facts, self.field))

    @cached_property
    def wanted(self) -> frozenset[str]:
        return frozenset(self.value)

    def holds(self, facts: Facts) -> bool:
        return self.fact(facts) in self.wanted


class Text(Question):
    """Title and text hold a word or a phrase: whole words, whatever their case."""

    title = "Text"
    asks = {
        "any": ("contains any of", "contains none of"),
        "all": ("contains all of", "does not contain all of"),
        "starts": ("starts with", "does not start with"),
    }
    hint = "Words or phrases, with commas between them; a word is also found as a #hashtag, but not inside an @handle"

    field: Literal["text"] = "text"
    op: Literal["any", "all", "starts"]
    value: Terms

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return tuple(Term.of(each) for each in self.value)

    @cached_property
    def _keys(self) -> frozenset[str]:
        if self.op == "all":
            return frozenset([max((term.key for term in self.terms), key=len)])
        return frozenset(term.key for term in self.terms)

    def keys(self) -> frozenset[str] | None:
        return self._keys

    def holds(self, facts: Facts) -> bool:
        words = facts.words
        if self._keys.isdisjoint(words.tokens):
            return False
        if self.op == "all":
            return all(words.has(term) for term in self.terms)
        found = words.has if self.op == "any" else words.begins_with
        return any(found(term) for term in self.terms if term.key in words.tokens)

    def matches(self, facts: Facts) -> Hit | None:
        if not self.holds(facts):
            return None
        known = (term for term in self.terms if term.key in facts.words.tokens)
        found = [(term, spans) for term in known if (spans := self._spans(term, facts))]
        spans = [Span(start, end, term.shown) for term, places in found for start, end in places]
        return Hit((f"the text {self._verb()} {listed(quoted(term.shown for term, _ in found), 'and')}",), tuple(spans))

    def _spans(self, term: Term, facts: Facts) -> list[tuple[int, int]]:
        if self.op != "starts":
            return facts.words.spans(term)
        return [facts.words.written(0, len(term.folded))] if facts.words.begins_with(term) else []

    def _verb(self) -> str:
        return "starts with" if self.op == "starts" else "contains"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        if self.op != "all":
            return self.say(False, most)
        lacking = [term.shown for term in self.terms if not facts.words.has(term)]
        return f"the text does not contain {listed(quoted(lacking), most=most)}"

    def say(self, yes: bool = True, most: int | None = None) -> str:
        terms = listed(quoted(self.value), "and" if self.op == "all" else "or", most)
        if yes:
            return f"the text {self._verb()} {terms}"
        return f"the text does not {'start with' if self.op == 'starts' else 'contain'} {terms}"


class Network(OneOf):
    title = "Network"
    field: Literal["network"] = "network"
    value: Annotated[_List, AfterValidator(lambda words: [word.strip().lower() for word in words])]

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it is {negated(yes, 'from')} {listed(map(network_name, self.value), most=most)}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return f"it is from {network_name(facts.network)}, {asked(map(network_name, self.value), most)}"


class Kind(OneOf):
    title = "Kind of message"
    hint = "Of mention, reply, comment, dm, review, post, article; with commas between them"
    field: Literal["kind"] = "kind"
    value: Annotated[_List, AfterValidator(_of_kinds)]

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


class AuthorIs(Question):
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

    def holds(self, facts: Facts) -> bool:
        return fold(facts.author_handle.lstrip("@")) in self.wanted or fold(facts.author_id) in self.wanted

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it is {negated(yes, 'by')} {listed([f'@{name}' for name in self.value], most=most)}"


class Number(Question):
    hint = "A whole number"

    @classmethod
    def from_typed(cls, typed: str) -> Any:
        return re.sub(r"[\s.,'’]", "", typed)

    def typed(self) -> str:
        return str(self.value)


class Followers(Number):
    """How many follow the author. Where the network does not say, it is neither many nor few."""

    title = "Followers"
    asks = {"at_least": ("at least", "not known to be at least"), "below": ("below", "not known to be below")}
    field: Literal["followers"] = "followers"
    op: Literal["at_least", "below"]
    value: Annotated[int, Field(ge=0)]

    def holds(self, facts: Facts) -> bool:
        if facts.followers is None:
            return False
        return facts.followers >= self.value if self.op == "at_least" else facts.followers < self.value

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"the author {'has' if yes else 'is not known to have'} {self._many()} followers"

    def _many(self) -> str:
        return f"{'at least' if self.op == 'at_least' else 'fewer than'} {self.value:,}"

    def matches(self, facts: Facts) -> Hit | None:
        return Hit((f"the author has {facts.followers:,} followers",)) if self.holds(facts) else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        if facts.followers is None:
            return f"the network does not tell how many followers the author has, the rule asks for {self._many()}"
        return f"the author has {facts.followers:,} followers, the rule asks for {self._many()}"


class Language(Question):
    """The language, as the network says or as it reads; `pt` asks for Portuguese of any country."""

    title = "Language"
    asks = {"in": ("is", "is not")}
    hint = "Codes or names, with commas between them: de, French"
    field: Literal["lang"] = "lang"
    op: Literal["in"] = "in"
    value: Annotated[_List, AfterValidator(_languages)]

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


class Hashtag(Question):
    title = "Hashtag"
    asks = {"any": ("is any of", "is none of")}
    field: Literal["hashtag"] = "hashtag"
    op: Literal["any"] = "any"
    value: Names

    @cached_property
    def terms(self) -> Mapping[str, Term]:
        return {fold(tag): Term.of(f"#{tag}") for tag in self.value}

    def holds(self, facts: Facts) -> bool:
        return not facts.hashtags.isdisjoint(self.terms)

    def matches(self, facts: Facts) -> Hit | None:
        found = [self.terms[tag] for tag in self.terms if tag in facts.hashtags]
        spans = [Span(*place, term.shown) for term in found for place in facts.words.spans(term)]
        return Hit((f"it carries {listed([term.shown for term in found], 'and')}",), tuple(spans)) if found else None

    def say(self, yes: bool = True, most: int | None = None) -> str:
        tags = listed([f"#{tag}" for tag in self.value], most=most)
        return f"it carries {tags}" if yes else f"it does not carry {tags}"


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


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAMES = dict(
    zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)


class Spell(BaseModel):
    """Days of the week and hours of the day in a time zone. Hours may run over midnight: the night belongs to the day
    on which it began."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    days: Annotated[list[Day], Field(min_length=1)] = list(DAYS)
    begins: Annotated[time, Field(alias="from")] = time(0)
    ends: Annotated[time, Field(alias="to")] = time(0)
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"


class Time(Question):
    title = "Time"
    asks = {"within": ("is within", "is outside")}
    hint = "Such as: mon-fri 09:00-17:30 Europe/Berlin"
    field: Literal["time"] = "time"
    op: Literal["within"] = "within"
    value: Spell

    def holds(self, facts: Facts) -> bool:
        spell = self.value
        there = facts.created_at.astimezone(ZoneInfo(spell.zone))
        now, today = there.time(), there.weekday()
        if spell.begins < spell.ends:
            return spell.begins <= now < spell.ends and DAYS[today] in spell.days
        if now >= spell.begins:
            return DAYS[today] in spell.days
        return now < spell.ends and DAYS[today - 1] in spell.days

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it was {negated(yes, 'written')} {self._spell()}"

    def _spell(self) -> str:
        spell, parts = self.value, []
        if len(set(spell.days)) < len(DAYS):
            parts.append(f"on {listed(_DAY_NAMES[day] for day in DAYS if day in spell.days)}")
        if spell.begins != spell.ends:
            parts.append(f"between {spell.begins:%H:%M} and {spell.ends:%H:%M}")
        return f"{' '.join(parts) or 'at any time'} ({spell.zone})"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        there = facts.created_at.astimezone(ZoneInfo(self.value.zone))
        return f"it was written on {_DAY_NAMES[DAYS[there.weekday()]]} at {there:%H:%M}, not {self._spell()}"

    def typed(self) -> str:
        spell = self.value
        days = "" if len(set(spell.days)) == len(DAYS) else ",".join(day for day in DAYS if day in spell.days) + " "
        return f"{days}{spell.begins:%H:%M}-{spell.ends:%H:%M} {spell.zone}"

    @classmethod
    def from_typed(cls, typed: str) -> Any:
        found = _SPELL.fullmatch(typed.strip())
        if not found or not typed.strip():
            raise ValueError(f"Write days, hours and a time zone, {cls.hint[0].lower()}{cls.hint[1:]}.")
        spell: dict[str, Any] = {name: text for name, text in found.groupdict().items() if text and name != "days"}
        spell |= {name: spell[name].zfill(5) for name in ("from", "to") if name in spell}
        return spell | ({"days": _days(found["days"])} if found["days"] else {})


_SPELL = re.compile(
    r"(?P<days>[a-z,\s–-]*?)\s*(?:(?P<from>\d{1,2}:\d\d)\s*[-–]\s*(?P<to>\d{1,2}:\d\d))?\s*(?P<zone>[A-Z][\w/+-]*)?"
)


def _days(typed: str) -> list[str]:
    """`mon-fri, sun` as the list of days that it means; a word that is no day is left for the validation to refuse."""
    days: list[str] = []
    for part in re.split(r"[,\s]+", re.sub(r"\s*[-–]\s*", "-", typed.strip())):
        first, dash, last = (name[:3] for name in part.partition("-"))
        if dash and first in DAYS and last in DAYS:
            start, length = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % 7 + 1
            days += [DAYS[(start + step) % 7] for step in range(length)]
        else:
            days.append(part[:3])
    return list(dict.fromkeys(days))


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
    value: Annotated[_List, AfterValidator(lambda words: _known(words, Trait.KNOWN, "trait"))]

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
    def from_typed(cls, typed: str) -> Any:
        return None


QUESTIONS: dict[str, type[Question]] = {
    cls.model_fields["field"].default: cls
    for cls in (
        Text,
        Network,
        Kind,
        ChannelIs,
        AuthorIs,
        Followers,
        Language,
        Hashtag,
        Rating,
        Time,
        Visibility,
        Trait,
        Every,
    )
}
