"""The table of networks in `connectors/README.md`, as the code has it.

`python -m tests.connectors.table` prints it, with `--write` into its place; a test holds the page to it. Nobody writes
it by hand: what a network can do stands in its `Capabilities`, why it can not in their `missing`.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path

from connectors import registry
from connectors.contract import Capabilities, Connector

README = Path(registry.__file__).with_name("README.md")
BEGIN, END = "<!-- the table: python -m tests.connectors.table --write -->", "<!-- the end of the table -->"

#: What a column is called → the capability that it shows.
FLAGS = {
    "push": "hooks",
    "search": "searches",
    "reply": "replies",
    "private reply": "private_replies",
    "like": "likes",
    "hide": "hides",
    "delete ours": "removes",
    "delete theirs": "removes_of_others",
    "edits": "edits",
    "deletions": "deletions",
    "look-up": "lookups",
    "sign-in": "signs_in",
    "own key": "native_idempotency",
}
COLUMNS = ("code", "network", "reads", *FLAGS, "length", "window", "look for our own reply")
WHY = ("cannot: ", "not yet: ")
COUNTED = {
    "characters": "characters",
    "x": "by X’s count",
    "mastodon": "by Mastodon’s count",
    "graphemes": "graphemes",
    "threads": "by Threads’ count",
}


def shipped() -> list[type[Connector]]:
    """The networks that come with the house, in the registry's order; without those that only tests know."""
    found = [code for code, where in registry.NETWORKS.items() if where.startswith("connectors.")]
    return [registry.connector_class(code) for code in found]


def unexplained(network: type[Connector]) -> list[str]:
    """What this network is said not to have, without a reason."""
    offers = network.capabilities
    missing = [name for name in FLAGS.values() if not getattr(offers, name)]
    return [name for name in missing if not offers.missing.get(name, "").startswith(WHY)]


def table() -> str:
    """The table, and below it the reason for every cell that is not *done*."""
    networks = shipped()
    rows = [COLUMNS, ["---"] * len(COLUMNS), *map(_row, networks)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *(_reasons(each) for each in networks)])


def _row(network: type[Connector]) -> list[str]:
    offers = network.capabilities
    reads = ", ".join(sorted(offers.reads))
    cells = [_cell(offers, name) for name in FLAGS.values()]
    looks = "done" if network.find_sent is not Connector.find_sent else "cannot" if not offers.replies else "not yet"
    return [f"`{network.network}`", network.name, reads, *cells, _length(offers), _window(offers.reply_window), looks]


def _cell(offers: Capabilities, name: str) -> str:
    if getattr(offers, name):
        return "done"
    return offers.missing.get(name, "?").partition(":")[0]


def _length(offers: Capabilities) -> str:
    if not offers.replies:
        return "–"
    if not offers.longest_reply:
        return "as set"
    bytes_too = f", {offers.longest_bytes:,} bytes" if offers.longest_bytes else ""
    return f"{offers.longest_reply:,} {COUNTED[offers.counts]}{bytes_too}"


def _window(window: timedelta | None) -> str:
    if window is None:
        return "–"
    hours = window.total_seconds() / 3600
    return f"{hours:g} hours" if hours < 72 else f"{hours / 24:g} days"


def _reasons(network: type[Connector]) -> str:
    said, because = network.capabilities.missing, {}
    for column, capability in FLAGS.items():
        if capability in said:
            because.setdefault(said[capability].rstrip("."), []).append(f"*{column}*")
    told = "; ".join(f"{', '.join(columns)} {why}" for why, columns in because.items())
    return f"- `{network.network}`: {told or 'nothing is missing'}."


def on_the_page() -> str:
    """What stands in its place now."""
    return README.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def write() -> None:
    before, _, rest = README.read_text().partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")
    django.setup()
    write() if "--write" in sys.argv else print(table())
