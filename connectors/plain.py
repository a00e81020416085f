"""HTML as the plain text that a person would read: paragraphs, lists and line breaks stay, everything else goes.
Pure."""

import html
import re

import nh3

LONGEST = 400_000  # characters of HTML that are looked at: four times what is kept of any text
_PARAGRAPHS = frozenset("p div blockquote pre ul ol table h1 h2 h3 h4 h5 h6 article section figure hr dl".split())
_LINES = frozenset("br li tr dt dd".split())
_KEPT = _PARAGRAPHS | _LINES
#: Their content is not text.
_DROPPED = {"script", "style", "template", "noscript", "iframe", "svg", "math", "object"}
_token = re.compile(r"<(/?)([a-z0-9]+)[^<>]*>|([^<]+)")
_blank = re.compile(r"[ \t\r\n\f]+")


def plain_text(given: str) -> str:
    """The text of this HTML. nh3 reads it as a browser would and leaves nothing but the tags that part lines, so what
    follows can neither be fooled nor take long."""
    if "<" not in given and "&" not in given:
        return _blank.sub(" ", given).strip()
    cleaned = nh3.clean(given[:LONGEST], tags=set(_KEPT), attributes={}, clean_content_tags=_DROPPED)
    written, preformatted = [], 0
    for closes, tag, text in _token.findall(cleaned):
        if text:
            written.append(html.unescape(text if preformatted else _blank.sub(" ", text)))
            continue
        written.append(_break(tag, closes))
        if tag == "pre":
            preformatted = max(0, preformatted + (-1 if closes else 1))
    return tidy("".join(written))


def one_line(given: str) -> str:
    """The same for a title or a name."""
    return " ".join(plain_text(given).split())


def tidy(text: str) -> str:
    """No blanks at the ends of lines, no more than one empty line in a row."""
    lines = [line.strip(" \t\r\f") if not line.startswith("    ") else line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _break(tag: str, closes: str) -> str:
    if tag in _PARAGRAPHS:
        return "\n\n"
    if tag == "li":
        return "" if closes else "\n- "
    return "" if closes else "\n"
