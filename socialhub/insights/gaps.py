"""What falls between the departments: things that nobody moves unless somebody who sees all of them does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from connectors.doors import may_inspect
from departments.access import rights
from inbox.models import QueueItem
from socialhub.insights.ingest import Line
from socialhub.insights.metrics import NOBODYS, ROUND, STRANDED, STUCK
from socialhub.insights.sight import Passed, Sight


@dataclass(frozen=True)
class Gap:
    """One line: how many, what (`about` stands out, `rest` follows, and since when), and the way to end it."""

    key: str
    number: int
    about: str
    rest: str
    verb: str
    url: str
    since: datetime | None = None
    alarm: bool = False


def gaps(sight: Sight, lines: Sequence[Line]) -> list[Gap]:
    """Those that are there; what people wait for comes first."""
    of_people = (*_late(sight), *_in_triage(sight), *_stuck(sight), *_round(sight), *_stranded(sight))
    return [*of_people, *_mute(lines), *_laid_aside(sight, lines)]


def _late(sight: Sight) -> Iterator[Gap]:
    late = {pk: each.unassigned for pk, each in sight.late.items() if each.unassigned}
    if number := sum(late.values()):
        about = f"{_is(number)} overdue and nobody’s:"
        where = listed([each.name for each in sight.departments if each.pk in late])
        yield Gap("late", number, about, f"{where}.", "See", NOBODYS.url(sight), alarm=True)


def _in_triage(sight: Sight) -> Iterator[Gap]:
    triage = next((each for each in sight.departments if each.is_triage), None)
    if triage and (number := sight.counts[triage.pk]["open"]):
        since = sight.late[triage.pk].oldest
        about = "lies in Triage." if number == 1 else "lie in Triage."
        rest = ("It waits since" if number == 1 else "The oldest waits since") if since else "Nobody owns them yet."
        yield Gap("triage", number, about, rest, "Place", reverse("queue", args=[triage.slug]), since)


def _stuck(sight: Sight) -> Iterator[Gap]:
    pairs = [each for each in sight.passed if each.stuck]
    if pairs:
        longest = min(pairs, key=lambda each: each.since)
        number = sum(each.stuck for each in pairs)
        about = "hand-off not accepted:" if number == 1 else "hand-offs not accepted:"
        rest = f"{'' if len(pairs) == 1 else 'the longest waits from '}{_way(sight, longest)}, since"
        yield Gap("stuck", number, about, rest, "See", STUCK.url(sight), longest.since)


def _way(sight: Sight, passed: Passed) -> str:
    names = sight.desk.all_departments
    return f"{names[passed.giver]} to {names[passed.taker]}"


def _round(sight: Sight) -> Iterator[Gap]:
    if (first := sight.round) and first.among == 1:
        yield Gap("round", 1, "goes round between departments:", _whose(first), "Decide", first.get_absolute_url())
    elif first:
        rest = f"The most urgent is of {_whose(first)}"
        yield Gap("round", first.among, "go round between departments.", rest, "Decide", ROUND.url(sight))


def _whose(item: QueueItem) -> str:
    """“Ana, “Where is my parcel?””: the quotation's own stop ends the sentence."""
    words = item.preview if len(item.preview) <= 40 else f"{item.preview[:40].rsplit(' ', 1)[0]} …"
    stop = "" if words.endswith((".", "!", "?", "…")) else "."
    return f"{item.author_name or 'somebody'}, “{words}”{stop}"


def _stranded(sight: Sight) -> Iterator[Gap]:
    if number := STRANDED.value(sight):
        about = "reply may not have arrived." if number == 1 else "replies may not have arrived."
        rest = "The network did not say; somebody has to look."
        yield Gap("stranded", number, about, rest, "Look", STRANDED.url(sight), alarm=True)


def _mute(lines: Sequence[Line]) -> Iterator[Gap]:
    mute = [each.channel for each in lines if each.is_mute]
    if mute:
        about = "channel without a voice:" if len(mute) == 1 else "channels without a voice:"
        rest = f"no department answers as {listed([each.name for each in mute])}."
        yield Gap("mute", len(mute), about, rest, "See", reverse("channel", args=[mute[0].slug]))


def _laid_aside(sight: Sight, lines: Sequence[Line]) -> Iterator[Gap]:
    aside = [each.channel for each in lines if each.channel.laid_aside]
    if aside and may_inspect(rights(sight.user)):
        number = sum(each.laid_aside for each in aside)
        about = "post could not be read:" if number == 1 else "posts could not be read:"
        most = max(aside, key=lambda each: each.laid_aside)
        rest = f"{listed([each.name for each in aside])}."
        yield Gap("laid-aside", number, about, rest, "Look", reverse("channel", args=[most.slug]))


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def listed(names: list[str], most: int = 3) -> str:
    """“PR”, “PR and HR”, “PR, HR and 4 more”."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
