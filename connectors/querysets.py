"""Named selections of channels, of visits to networks, and of what could not be read."""

from datetime import timedelta

from django.db import models, transaction
from django.db.models import Count, F, Func, Min, Q, Sum, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Greatest, Length, TruncHour

from connectors.clock import LEEWAY
from connectors.health import BROKEN, LASTING, LISTENING, NEEDS_LOGIN, PAUSED, TROUBLE
from departments import access


def server_of(channel: str = "") -> Coalesce:
    """Whom a channel talks to: the server that its settings name, else the network as a whole. `channel` is the way to
    it, as in `channel__`."""
    addresses = (KeyTextTransform(name, F(f"{channel}settings")) for name in ("url", "base_url"))
    return Coalesce(*map(_server_in, addresses), F(f"{channel}network"), output_field=models.TextField())


def _server_in(address) -> Func:
    """Name and port of the server in this address; NULL where it is none."""
    return Func(address, Value("^[A-Za-z]+://([^/?#]+)"), function="substring", output_field=models.TextField())


def unheld(at) -> Q:
    """Rows that nobody works on at that time: never leased, or the lease has run out."""
    return Q(leased_until=None) | Q(leased_until__lte=at)


class ChannelQuerySet(models.QuerySet):
    def due(self, at):
        """Channels whose time has come and that no living worker holds, the longest waiting first; `server` is whom
        each talks to."""
        return self.filter(unheld(at), next_poll_at__lte=at).annotate(server=server_of()).order_by("next_poll_at")

    def not_in(self, closed):
        """Without those that have to wait for others (`lanes.Closed`)."""
        return self.exclude(server__in=closed.servers).exclude(pk__in=closed.channels)

    def next_due(self, after):
        """When the next of those comes whose time is still ahead; None when none does."""
        return self.filter(next_poll_at__gt=after).aggregate(next=Min("next_poll_at"))["next"]

    def late(self, at):
        """Channels that nobody looks at though their time came more than an interval ago: the worker does not keep up,
        or does not live; the same question as `Channel.is_late`."""
        interval = Greatest(F("poll_seconds") * Value(timedelta(seconds=1)), Value(LEEWAY))
        return self.filter(unheld(at), next_poll_at__lte=Value(at) - interval)

    @transaction.atomic
    def claim(self, until, batch=20, admits=lambda channel: True):
        """Lease up to `batch` of these channels to the caller, who may turn some of them down. What another one is just
        claiming is passed over."""
        found = list(self.select_for_update(skip_locked=True, of=("self",))[:batch])
        channels = [channel for channel in found if admits(channel)]
        for channel in channels:
            channel.leased_until, channel.fence = until, channel.fence + 1
        self.model.objects.bulk_update(channels, ["leased_until", "fence"])
        return channels

    def visible_to(self, user):
        """Who runs the house sees all channels; everybody else those that their departments speak through or
        monitor."""
        held = access.rights(user)
        if held.sees_ordinary or held.auditor:
            return self
        own = list(access.departments_for(user).values_list("pk", flat=True))
        if not own:
            return self.none()
        through = self.model.objects.filter(Q(speakers__in=own) | Q(monitors__in=own)).values("pk")
        return self.filter(pk__in=through)

    def sending(self):
        """Channels that replies may leave through now."""
        return self.filter(frozen_at=None)

    def read(self):
        """Channels that are read, as far as nobody is needed for it."""
        return self.filter(state=LISTENING)

    def to_renew(self, at):
        """Channels whose credentials are to be renewed; also the paused ones, whose login should not be lost."""
        return self.filter(renew_at__lte=at)

    def in_trouble(self):
        """Channels that a person should look at; the same question as `health.is_trouble`."""
        lasts = Q(failures__gte=TROUBLE) | Q(trouble__in=LASTING)
        return self.filter(Q(state__in=(NEEDS_LOGIN, BROKEN)) | lasts & Q(state=LISTENING))

    def with_people(self):
        """With the departments that speak and monitor, for a page."""
        return self.prefetch_related("speakers", "monitors")


class FetchRunQuerySet(models.QuerySet):
    def per_hour(self, since):
        """Posts taken in, as (channel, hour, number), where there were any."""
        counted = self.filter(started__gte=since, taken_in__gt=0).values("channel", hour=TruncHour("started"))
        return counted.annotate(number=Sum("taken_in")).values_list("channel", "hour", "number").order_by()

    def per_step(self, since, step):
        """What visits came to in steps of this length from then on, where there were any."""
        place = Func(Value(step), F("started"), Value(since), function="date_bin", output_field=models.DateTimeField())
        sums = {"seen": Sum("read"), "new": Sum("taken_in"), "aside": Sum("quarantined")}
        failed = Count("pk", filter=Q(outcome="failed"))
        found = self.filter(started__gte=since).values(step=place).annotate(visits=Count("pk"), failed=failed, **sums)
        return found.order_by()

    def telling(self):
        """Without quiet visits, those that found nothing and left nothing out."""
        return self.exclude(outcome="ok", read=0, gap="")

    def gaps_since(self, at):
        """Visits that left a gap which reaches into the time since then, or was noticed or closed in it; and every one
        that is still open."""
        within = Q(gap_until__gte=at) | Q(started__gte=at) | Q(gap_closed_at__gte=at) | Q(gap_closed_at=None)
        return self.exclude(gap="").filter(within)

    def began(self):
        """When these visits to the network began, newest first."""
        return self.filter(via="poll").order_by("-started", "-id").values_list("started", flat=True)

    def stale(self, at):
        """Visits that nobody will ask for again: quiet ones after a day, all after ninety."""
        quiet = Q(read=0, outcome="ok", gap="", started__lt=at - timedelta(days=1))
        return self.filter(quiet | Q(started__lt=at - timedelta(days=90)))

    def open_gaps(self):
        """Visits that left a hole which no later one has closed."""
        return self.exclude(gap="").filter(gap_closed_at=None)

    def close_gaps(self, since, until, at):
        """The time from `since` to `until` has been read without a hole: the gaps within it are closed."""
        within = self.open_gaps().filter(gap_since__gte=since, gap_until__lte=until)
        return within.update(gap_closed_at=at)


class UsageQuerySet(models.QuerySet):
    def add(self, channel, used, day):
        """Count what was used on this day; any number of workers at once."""
        if used:
            self.bulk_create([self.model(channel=channel, day=day)], ignore_conflicts=True)
            self.filter(channel=channel, day=day).update(used=F("used") + used)

    def since(self, day):
        """The sum from this day on."""
        return self.filter(day__gte=day).aggregate(sum=Sum("used"))["sum"] or 0


class QuarantineQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(replayed_at=None)

    def described(self):
        """Without the posts themselves, which nobody reads here; with their size in characters."""
        return self.defer("raw").annotate(size=Length("raw")).select_related("fetch_run")

    def asked_for(self):
        """Those that a person wants to be tried again, the first asked first."""
        return self.waiting().exclude(replay_asked_at=None).order_by("replay_asked_at", "received_at")


class DeliveryQuerySet(models.QuerySet):
    def waiting(self, at=None):
        """Deliveries that nobody has read yet, the oldest first; at a time, those that nobody is reading then. What
        came to a paused channel waits until somebody resumes it."""
        found = self.filter(read_at=None, set_aside_at=None).order_by("received_at")
        if at is None:
            return found
        return found.filter(unheld(at)).exclude(channel__state=PAUSED)

    @transaction.atomic
    def claim(self, until, most):
        """Lease up to `most` of these to the caller; of those that were begun before, one alone."""
        fresh = self._locked(self.filter(attempts=0), most)
        claimed = fresh or self._locked(self.filter(attempts__gt=0), 1)
        for each in claimed:
            each.leased_until, each.attempts = until, each.attempts + 1
        self.model.objects.bulk_update(claimed, ["leased_until", "attempts"])
        return claimed

    def _locked(self, rows, most):
        return list(rows.select_related("channel").select_for_update(skip_locked=True, of=("self",))[:most])

    def set_aside(self):
        """Those that a person should look at, the newest first; without what they say."""
        return self.filter(set_aside_at__isnull=False).defer("body").order_by("-set_aside_at")
