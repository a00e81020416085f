"""The pages of docs/networks as the house shows them: how to get a network's credentials, with our own addresses in
them."""

import re
from functools import cache
from pathlib import Path

import nh3
from markdown_it import MarkdownIt

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "networks"
INDEX = "README"
#: Under which the pages name this house; whoever reads them here sees its own address.
EXAMPLE = "https://hub.example.com"

_BESIDE = re.compile(r'href="(?:\./)?(\w+)\.md(?:#[\w-]*)?"')


@cache
def there_are() -> frozenset[str]:
    """The codes of the networks that have a page."""
    return frozenset(each.stem for each in FOLDER.glob("*.md") if each.stem != INDEX)


def page(code: str, home: str, to: str) -> str | None:
    """The page of this network as HTML, the index for INDEX; None when there is none. `home` is our own address, and
    `to` the address of such a page with `{}` for its code."""
    if code != INDEX and code not in there_are():
        return None
    html = nh3.clean(_renderer().render((FOLDER / f"{code}.md").read_text().replace(EXAMPLE, home.rstrip("/"))))
    return _BESIDE.sub(lambda found: f'href="{to.format(found[1])}"', html)


@cache
def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")
