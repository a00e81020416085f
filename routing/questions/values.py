"""What may be written as the value of a question: words, names, codes; each refused with a sentence of its own."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from django.conf.locale import LANG_INFO
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from connectors.contract import KINDS
from routing.saying import listed, quoted
from routing.words import fold

MOST_TERMS = 200
LONGEST_TERM = 100


def wrong(sentence: str) -> PydanticCustomError:
    """An error whose sentence is shown as it stands."""
    return PydanticCustomError("wrong", "{sentence}", {"sentence": sentence})


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def distinct(terms: list[str]) -> list[str]:
    """Each once, however it is written; the first spelling stays."""
    kept: dict[str, str] = {}
    for term in terms:
        if not (folded := fold(term)):
            raise wrong("A term is empty.")
        kept.setdefault(folded, " ".join(term.split()))
    return list(kept.values())


def _bare(names: list[str]) -> list[str]:
    return distinct([name.strip().lstrip("@#＠＃") for name in names])


def _slugs(words: list[str]) -> list[str]:
    words = [word.strip().lower() for word in words]
    if strange := [word for word in words if not re.fullmatch(r"[-\w]+", word)]:
        raise wrong(f"{listed(quoted(strange))} is no short name.")
    return list(dict.fromkeys(words))


def known(words: list[str], there: Iterable[str], what: str) -> list[str]:
    """These words, each once, if all of them are among those that there are."""
    words = [word.strip().lower() for word in words]
    if strange := [word for word in words if word not in there]:
        raise wrong(f"{listed(quoted(strange))} is no {what}; there are {listed(sorted(there), 'and')}.")
    return list(dict.fromkeys(words))


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
Some = Annotated[list[_Word], BeforeValidator(_as_list), Field(min_length=1, max_length=MOST_TERMS)]
#: Words and phrases.
Terms = Annotated[Some, AfterValidator(distinct)]
#: Handles and hashtags, without what stands before them.
Names = Annotated[Some, AfterValidator(_bare)]
#: Short names: of departments, lists, campaigns.
Slugs = Annotated[Some, AfterValidator(_slugs)]
Networks = Annotated[Some, AfterValidator(lambda words: [word.strip().lower() for word in words])]
Kinds = Annotated[Some, AfterValidator(lambda words: known(words, KINDS, "kind of message"))]
Languages = Annotated[Some, AfterValidator(lambda words: [_language_code(word.strip().lower()) for word in words])]
Zone = Annotated[str, AfterValidator(_zone)]
