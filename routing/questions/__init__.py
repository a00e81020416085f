"""The single questions that a rule may ask of a post, a class for each: its words, its check, its answer.

A question says itself (`say`), answers whether it `holds`, tells where and why it fits (`matches`) and what a post
lacks (`missing`). What a person types into the form becomes its value by `from_typed`, and `typed` gives it back. The
README of the folder above tells how to add one.
"""

from routing.parts import Question
from routing.questions.author import AuthorIs, AuthorListed, AuthorMessages, Followers
from routing.questions.looked_up import InCampaign, InHours, Similar
from routing.questions.moments import DAYS, Spell, Time
from routing.questions.numbers import Number
from routing.questions.plain import ChannelIs, Every, Kind, Language, Network, Rating, Trait, Visibility
from routing.questions.read import MOODS, Label, Mood
from routing.questions.text import Hashtag, Regex, Text
from routing.questions.values import LONGEST_TERM, MOST_TERMS, wrong

__all__ = [
    "DAYS", "LONGEST_TERM", "MOODS", "MOST_TERMS", "QUESTIONS", "AuthorIs", "AuthorListed", "AuthorMessages",
    "ChannelIs", "Every", "Followers", "Hashtag", "InCampaign", "InHours", "Kind", "Label", "Language", "Mood",
    "Network", "Number", "Question", "Rating", "Regex", "Similar", "Spell", "Text", "Time", "Trait", "Visibility",
    "wrong",
]  # fmt: skip

#: By the word that stands in stored rules, in the order in which the form offers them.
QUESTIONS: dict[str, type[Question]] = {
    cls.model_fields["field"].default: cls
    for cls in (
        Text,
        Network,
        Kind,
        ChannelIs,
        AuthorIs,
        AuthorListed,
        Followers,
        AuthorMessages,
        Language,
        Hashtag,
        InCampaign,
        Rating,
        Mood,
        Label,
        Similar,
        Time,
        InHours,
        Visibility,
        Trait,
        Every,
    )
}
