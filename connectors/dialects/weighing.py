"""How long X counts a text to be: 280 for most letters, half of that for most others; any link is 23, any emoji 2.

After twitter-text, configuration 3: code points have weights by range, an emoji of many code points weighs as one, and
what X makes a link of is replaced by a short one. Links without a scheme are known by their top-level domain.
"""

from functools import cache
from unicodedata import normalize

import regex
from publicsuffixlist import PSLFILE

LONGEST = 280
PER_LINK = 23
#: Code points that weigh 1; all others weigh 2.
LIGHT = ((0x0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
MOST_PARSED = 4_000  # characters; beyond that links and emojis make no difference to what fits


def length(text: str) -> int:
    """By X's count."""
    text = normalize("NFC", text.replace("\r\n", "\n"))
    if len(text) > MOST_PARSED:
        return _weight(text)
    rest = _links().sub("", text)
    links = len(_links().findall(text))
    emojis = len(_EMOJI.findall(rest))
    return links * PER_LINK + emojis * 2 + _weight(_EMOJI.sub("", rest))


def length_on_threads(text: str) -> int:
    """By the count of Threads: emojis are as many as they have bytes, everything else is one each."""
    text = text.replace("\r\n", "\n")
    return len(_EMOJI.sub("", text)) + sum(len(each.encode()) for each in _EMOJI.findall(text))


def has_link(text: str) -> bool:
    """Whether X makes a link of anything in this text."""
    return bool(_links().search(text[:MOST_PARSED]))


def _weight(text: str) -> int:
    return len(text) if text.isascii() else sum(1 if _is_light(ord(each)) else 2 for each in text)


def _is_light(code: int) -> bool:
    return any(start <= code <= end for start, end in LIGHT)


_EMOJI = regex.compile(
    r"""
    \p{Regional_Indicator}{2}
    | [0-9\#*]\uFE0F?\u20E3
    | \p{Extended_Pictographic} (?: \uFE0F | \p{Emoji_Modifier} | [\U000E0020-\U000E007F]+ )?
      (?: \u200D \p{Extended_Pictographic} (?: \uFE0F | \p{Emoji_Modifier} )? )*
    """,
    regex.VERBOSE,
)


@cache
def _links() -> regex.Pattern:
    """What X makes a link of. Possessive throughout, so that no text takes long."""
    letter = r"[\p{L}\p{M}\p{N}]"
    label = rf"{letter}(?:[\p{{L}}\p{{M}}\p{{N}}_-]*{letter})?"
    plain = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
    inside = r"[a-z0-9\p{Latin}\p{Cyrillic}!*';:=+,.$/%#\[\]\u2013_~@|&-]"
    brackets = rf"\({inside}*+\)"
    path = rf"(?:{inside}|{brackets})*(?:[a-z0-9\p{{Latin}}\p{{Cyrillic}}=_#/+-]|{brackets})"
    query = r"\?[a-z0-9!?*'();:&=+$/%#\[\]_.,~|@-]*[a-z0-9_&=#/-]"
    rest = rf"(?::[0-9]+)?(?:/(?:{path})?)?(?:{query})?"
    tld = r"(?:\L<tlds>)(?![a-z0-9@+-])"
    return regex.compile(
        rf"(?<![a-z0-9@＠$#＃])https?://(?:{label}\.)++{tld}{rest}"
        rf"|(?<![a-z0-9_./$@#＃＠-])(?:{plain}\.)+{tld}{rest}",
        regex.IGNORECASE,
        tlds=_top_level_domains(),
    )


def _top_level_domains() -> list[str]:
    with open(PSLFILE, encoding="utf-8") as lines:
        rules = (line.strip() for line in lines)
        return [each for each in rules if each and "." not in each and not each.startswith("//")]
