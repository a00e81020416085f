"""What people paste, as it is kept: handles, hashtags, links. Each raises ValidationError with a sentence that names
what can not be read."""

from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from connectors.registry import NETWORKS
from routing.campaigns import page_of
from routing.saying import listed, quoted
from routing.words import fold

#: A list is looked through for every batch of messages.
MOST_HANDLES = 10_000
MOST_WORDS = 200
#: Addresses of pages beside theirs.
RESERVED = {"new"}


def handles(lines: Iterable[str]) -> list[str]:
    """Handles or ids as they are kept: folded, without the @, each once, in their order; `x:somebody` counts on that
    network alone."""
    read = {name: None for line in lines if (name := _handle(line))}
    if len(read) > MOST_HANDLES:
        raise ValidationError(f"A list holds at most {MOST_HANDLES:,} people; these are {len(read):,}.")
    return list(read)


def _handle(line: str) -> str:
    network, colon, name = line.strip().partition(":")
    if not colon or ":" in name:
        return _bare(line)
    if fold(network) not in NETWORKS:
        raise ValidationError(f"“{network}” is no network; there are {listed(sorted(NETWORKS), 'and')}.")
    return f"{fold(network)}:{_bare(name)}"


def _bare(name: str) -> str:
    bare = fold(name).lstrip("@＠")
    if " " in bare or len(bare) > 200 or (not bare and name.strip()):
        raise ValidationError(f"“{name.strip()[:80]}” is no handle; write one a line.")
    return bare


def hashtags(words: Iterable[str]) -> list[str]:
    """Hashtags as they are kept: without the #, each once however it is written."""
    read = {fold(bare): bare for word in words if (bare := word.strip().lstrip("#＃"))}
    if strange := [word for word in read.values() if not word.replace("_", "a").isalnum() or len(word) > 100]:
        raise ValidationError(f"{listed(quoted(strange), 'and', most=3)} can be no hashtag.")
    return _few(list(read.values()), "hashtags")


def links(lines: Iterable[str]) -> list[str]:
    """Links as they are kept: as they were written, each page once."""
    given = [line.strip() for line in lines if line.strip()]
    if strange := [line for line in given if page_of(line) is None or " " in line or len(line) > 300]:
        raise ValidationError(f"{listed(quoted(strange), 'and', most=3)} is no link; write one like acme.com/spring.")
    return _few(list({page_of(line): line for line in given}.values()), "links")


def _few(words: list[str], what: str) -> list[str]:
    if len(words) > MOST_WORDS:
        raise ValidationError(f"A campaign has at most {MOST_WORDS} {what}.")
    return words


def short_name(name: str, slug: str, taken: Sequence[str]) -> str:
    """The word by which rules name it: the one given, or one made of its name."""
    made = slugify(slug or name)[:50]
    if not made:
        raise ValidationError({"slug": "Choose a short name of Latin letters, by which rules can name it."})
    if made in taken or made in RESERVED:
        raise ValidationError({"slug" if slug else "name": f"“{made}” is taken; choose another."})
    return made
