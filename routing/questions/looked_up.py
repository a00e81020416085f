"""Questions whose answer somebody has to look up first: campaigns, who is there, near copies."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from routing.facts import Facts
from routing.parts import Among, Hit
from routing.questions.numbers import LIMITS, Between, Counted, Limit
from routing.questions.values import Slugs
from routing.saying import asked, listed, quoted


class AnyOf(Among):
    """Something that was looked up is among what is named by a short name."""

    #: What is named: departments, lists or campaigns.
    kind: ClassVar[str]

    @classmethod
    def values_of(cls, facts: Facts) -> frozenset[str]:
        return getattr(facts, cls.needs)

    def named(self) -> Mapping[str, list[str]]:
        return {self.kind: self.value}

    def matches(self, facts: Facts) -> Hit | None:
        found = [each for each in self.value if each in self.values_of(facts)]
        return Hit((self.model_copy(update={"value": found}).say(),)) if found else None


class InCampaign(AnyOf):
    """It belongs to one of our campaigns: by a hashtag or a link of it, or because it answers what we said in it."""

    title = "Campaign"
    asks = {"any": ("is any of", "is none of")}
    hint = "The campaigns’ short names, with commas between them"
    needs = "campaigns"
    kind = "campaigns"
    field: Literal["campaign"] = "campaign"
    op: Literal["any"] = "any"
    value: Slugs

    def say(self, yes: bool = True, most: int | None = None) -> str:
        many = "campaign" if len(self.value) == 1 else "campaigns"
        belongs = "belongs" if yes else "is not known to belong"
        return f"it {belongs} to the {many} {listed(quoted(self.value), most=most)}"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        if not facts.campaigns:
            return self.say(False, most)
        others = listed(quoted(sorted(facts.campaigns)), "and")
        return f"it belongs to {others}, {asked(quoted(self.value), most)}"


class InHours(AnyOf):
    """It came while the people of one of these departments are there, by the hours that the department set."""

    title = "Business hours"
    asks = {"within": ("within those of any of", "outside those of all of")}
    hint = "The departments’ short names, with commas between them"
    needs = "open_now"
    kind = "departments"
    field: Literal["hours"] = "hours"
    op: Literal["within"] = "within"
    value: Slugs

    def say(self, yes: bool = True, most: int | None = None) -> str:
        within = "it came within" if yes else "it is not known to have come within"
        return f"{within} the business hours of {listed(quoted(self.value), most=most)}"


class _Similar(Counted):
    has: ClassVar = ("there are", "there are not known to be")
    what: ClassVar = "near copies of it within a day"
    unknown: ClassVar = "it is not known how many near copies of it there are"
    needs = "similar"

    def found(self, number: int) -> str:
        return "there is no near copy of it within a day" if number <= 1 else super().found(number)


class SimilarBetween(Between, _Similar):
    title = "Near copies"
    asks = {"between": LIMITS["between"]}
    field: Literal["similar"] = "similar"


class Similar(Limit, _Similar):
    """How many posts say nearly the same within a day, this one counted."""

    title = "Near copies"
    asks = LIMITS
    hint = "How many within a day, this one counted"
    ways: ClassVar = {"between": SimilarBetween}
    field: Literal["similar"] = "similar"
