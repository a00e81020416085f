"""Named selections of channels, of visits to networks, and of what could not be read."""

from datetime import timedelta

from django.db import models, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Length, TruncHour

from connectors.health import BROKEN, LISTENING, NEEDS_LOGIN, TROUBLE
from departments import access


class ChannelQuerySet(models.QuerySet):
    def due(self, at):
        """Channels whose time has come and that no living worker holds, the longest waiting first."""
        free = Q(leased_until=None) | Q(leased_until__lte=at)
        return self.filter(free, next_poll_at__lte=at).order_by("next_poll_at")

    @transaction.atomic
    def claim(self, until, batch=20):
        """Lease up to `batch` of these channels to the caller. What another one is just claiming is passed over."""
        channels = list(self.select_for_update(skip_locked=True, of=("self",))[:batch])
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

    def in_trouble(self):
        """Channels that a person should look at; the same question as `health.is_trouble`."""
        return self.filter(Q(state__in=(NEEDS_LOGIN, BROKEN)) | Q(state=LISTENING, failures__gte=TROUBLE))

    def with_people(self):
        """With the departments that speak and monitor, for a page."""
        return self.prefetch_related("speakers", "monitors")


class FetchRunQuerySet(models.QuerySet):
    def per_hour(self, since):
        """Posts taken in, as (channel, hour, number), where there were any."""
        counted = self.filter(started__gte=since, taken_in__gt=0).values("channel", hour=TruncHour("started"))
        return counted.annotate(number=Sum("taken_in")).values_list("channel", "hour", "number").order_by()

    def stale(self, at):
        """Visits that nobody will ask for again: quiet ones after a day, all after ninety."""
        quiet = Q(read=0, outcome="ok", gap="", started__lt=at - timedelta(days=1))
        return self.filter(quiet | Q(started__lt=at - timedelta(days=90)))


class QuarantineQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(replayed_at=None)

    def described(self):
        """Without the posts themselves, which nobody reads here; with their size in characters."""
        return self.defer("raw").annotate(size=Length("raw")).select_related("fetch_run")

    def asked_for(self):
        """Those that a person wants to be tried again, the first asked first."""
        return self.waiting().exclude(replay_asked_at=None).order_by("replay_asked_at", "received_at")
