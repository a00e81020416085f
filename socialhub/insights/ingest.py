"""How the channels are: what came through each of them, what is missing, and what they lack."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from connectors.health import BROKEN, LISTENING, NEEDS_LOGIN, PAUSED
from connectors.models import Channel, FetchRun, QuarantinedPost
from connectors.pulse import Pulse, pulses

DAY = timedelta(hours=24)
#: What stands in a channel's way, in two words.
SHORT = {
    NEEDS_LOGIN: "signed out",
    BROKEN: "set up wrong",
    "NotConnected": "not connected",
    "BudgetSpent": "budget spent",
    "QuotaExhausted": "quota spent",
    "CreditsUsedUp": "no credits",
}


@dataclass(frozen=True)
class Line:
    """One channel on the board."""

    channel: Channel
    pulse: Pulse

    @property
    def in_trouble(self) -> bool:
        return self.channel.is_trouble or bool(self.channel.gap)

    @property
    def trouble(self) -> str:
        """What is wrong, and what is known to be missing, as sentences."""
        said = self.channel.in_words if self.channel.is_trouble else ""
        return " ".join(filter(None, [said, self.channel.gap]))

    @property
    def status(self) -> str:
        """In two words at most; empty when all is well, which needs none."""
        if self.channel.is_trouble:
            return SHORT.get(self.channel.trouble) or SHORT.get(self.channel.state, "not reachable")
        if self.channel.gap:
            return "gap"
        if self.channel.state == PAUSED:
            return "paused"
        return f"renew in {_days(self.channel.left)}" if self.channel.ends_soon else ""

    @property
    def is_mute(self) -> bool:
        """Its network lets us answer, and no department speaks through it."""
        return not self.channel.has_speaker and self.channel.state == LISTENING and self.channel.replies


def _days(left: timedelta) -> str:
    hours = left.total_seconds() / 3600
    return f"{round(hours / 24)} d" if hours > 36 else f"{int(hours)} h"


def lines(user, now: datetime) -> list[Line]:
    """The channels that this person may see, those in trouble first; two queries however many there are."""
    channels = list(_with_facts(Channel.objects.visible_to(user), now))
    beats = pulses([each.pk for each in channels], now)
    return sorted((Line(each, beats[each.pk]) for each in channels), key=lambda line: not line.in_trouble)


def _with_facts(channels: QuerySet[Channel], now: datetime) -> QuerySet[Channel]:
    """Each with `has_speaker`, `laid_aside` (posts in quarantine) and `gap`, what could not be had in the last day
    and is not closed."""
    speaks = Channel.speakers.through.objects.filter(channel=OuterRef("pk"), department__closed_at=None)
    aside = QuarantinedPost.objects.waiting().filter(channel=OuterRef("pk")).order_by().values("channel")
    gaps = FetchRun.objects.open_gaps().filter(channel=OuterRef("pk"), started__gt=now - DAY)
    return channels.annotate(
        has_speaker=Exists(speaks),
        laid_aside=Coalesce(Subquery(aside.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0),
        gap=Subquery(gaps.values("gap")[:1]),
    )
