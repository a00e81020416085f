"""How rules speak: lists, and the names of networks, kinds and languages in a sentence."""

from collections.abc import Iterable

from django.conf.locale import LANG_INFO

#: Every network that we know a word for.
NETWORKS = tuple("x facebook instagram threads mastodon bluesky youtube reddit feed webhook import demo".split())
_NETWORKS = {"x": "X", "youtube": "YouTube", "import": "an import", "webhook": "a webhook", "feed": "a feed"}
_KINDS = {"dm": "a direct message", "article": "an article"}


def listed(words: Iterable[str], last: str = "or", most: int | None = None) -> str:
    """a, b or c. With `most`, what lies beyond is only counted."""
    words = list(words)
    if most and len(words) > most + 1:
        words = [*words[:most], f"{len(words) - most} more"]
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def quoted(words: Iterable[str]) -> list[str]:
    return [f"“{word}”" for word in words]


def asked(words: Iterable[str], most: int | None = None) -> str:
    return f"the rule asks for {listed(words, most=most)}"


def negated(yes: bool, words: str) -> str:
    return words if yes else f"not {words}"


def network_name(code: str) -> str:
    """How a network is written; one we have no spelling for keeps its code."""
    return _NETWORKS.get(code, code.capitalize())


def kind_name(kind: str) -> str:
    return _KINDS.get(kind, f"a {kind}")


def language_name(code: str) -> str:
    for known in (code.lower(), code.lower().split("-")[0]):
        if name := LANG_INFO.get(known, {}).get("name"):
            return name
    return f"“{code}”"


def stars(number: int) -> str:
    return "1 star" if number == 1 else f"{number} stars"


def percent(sure: float) -> str:
    """Rounded down, so that what is not certain never reads like it."""
    return f"{int(sure * 100 + 1e-9)} %"


def span_of(minutes: int) -> str:
    """A length of time: “3 days”, “90 minutes”."""
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            return f"{minutes // size} {name}{'s' * (minutes != size)}"
    raise ValueError(minutes)


def decision(source: str, rule: str, department: str, reason: str, nothing: bool = False) -> str:
    """What was decided, as a sentence; `reason` is its end. The same for a verdict and for the record of one."""
    if source == "thread":
        return f"It stays in {department}, because {reason}."
    if not rule:
        return f"It went to {department}, because {reason}."
    done = "marked this as probably nothing" if nothing else f"put this in {department}"
    return f"The rule “{rule}” {done}, because {reason}."


def rounded(share: float) -> str:
    """“87 %”, for what was counted."""
    return f"{round(100 * share)}\u202f%"
