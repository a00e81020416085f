"""A post’s text made plain for who learns from words: brands, addresses and numbers stand for their kind, so that what
one organisation’s posts teach holds for another’s. Pure."""

import html
import re

#: As much of a text as is read.
READ = 1500

LINK = re.compile(r"https?:/*\S*|www\.\S+|\{link\}|\bhttp\b|pic\.twitter\.com/\S+")
MENTION = re.compile(r"(?<![\w@])[@＠](\w[\w.]*)")
HASHTAG = re.compile(r"(?<!\w)[#＃](\w+)")
SHARED = re.compile(r"^\W*(?:RT|MT)\b")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_SPACE = re.compile(r"\s+")

_SUPPORT = re.compile(
    r"help|support|care(?!er)|custserv|service|^ask|_ask|hilf|kunden|aide|\bsav|sav$|ayuda|atencion|clientes|ajuda"
    r"|assist|destek|pomoc|hereto|_cs$|cs$"
)
_JOBS = re.compile(r"career|jobs?(?:$|_)|hiring|recruit|talent|karriere|emploi|empleo")
_NEWS = re.compile(r"news|press|times|daily|post$|herald|journal|magazine|radio|tv$")


def handle(name: str) -> str:
    """What kind of account a handle names: support, jobs, news, or anybody."""
    name = name.lower()
    if _SUPPORT.search(name):
        return "@support"
    if _JOBS.search(name):
        return "@jobs"
    return "@news" if _NEWS.search(name) else "@name"


def unescaped(text: str) -> str:
    return html.unescape(html.unescape(text[:READ])) if "&" in text else text[:READ]


def words(text: str) -> str:
    """For counting words: lower case, with a word of its own for each link, handle and number."""
    text = LINK.sub(" linkhere ", unescaped(text))
    text = MENTION.sub(lambda found: f" {handle(found[1])} ", text)
    text = HASHTAG.sub(lambda found: f" #{found[1]} {_HUMP.sub(' ', found[1])} ", text)
    return _SPACE.sub(" ", _NUMBER.sub("0", text.lower())).strip()


def sentence(text: str) -> str:
    """For an encoder: what was said, without links; hashtags as the words they are made of."""
    text = LINK.sub(" ", unescaped(text))
    text = HASHTAG.sub(lambda found: _HUMP.sub(" ", found[1]), text)
    return _SPACE.sub(" ", text).strip()
