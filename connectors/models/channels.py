import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from connectors import clock, health, registry, tokens, vault
from connectors.contract import Capabilities, Connector, Limits
from connectors.errors import Misconfigured
from connectors.querysets import ChannelQuerySet
from departments.models import Department


class LeaseLost(Exception):
    """Somebody else works with this channel now, or its settings were changed: what was just fetched is not kept."""


class Channel(models.Model):
    """What we listen to or speak through on a network: an account, a page, a feed, a keyword search."""

    class State(models.TextChoices):
        LISTENING = health.LISTENING, "Listening"
        PAUSED = health.PAUSED, "Paused"
        NEEDS_LOGIN = health.NEEDS_LOGIN, "Has to be connected again"
        BROKEN = health.BROKEN, "Has to be corrected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=80)
    # A code of connectors.registry, not a choice: a new network must not need a migration.
    network = models.CharField(max_length=30)
    settings = models.JSONField(default=dict, blank=True)
    sealed = models.TextField("credentials, encrypted", blank=True, editable=False)
    state = models.CharField(max_length=12, choices=State, default=State.LISTENING)
    state_reason = models.CharField(max_length=500, blank=True)
    # Where the next page begins, in the network's own terms.
    cursor = models.JSONField(default=dict, blank=True)
    poll_seconds = models.FloatField(default=60)
    # Empty: nothing is fetched by itself (a network that is only pushed to, a pause, a person is needed).
    next_poll_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    # The error that stands in the way (a name in connectors.errors, or health.FAULT), and since when.
    trouble = models.CharField(max_length=40, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_post_at = models.DateTimeField(null=True, blank=True)
    # The kill switch: while set, nothing leaves through this channel.
    frozen_at = models.DateTimeField(null=True, blank=True)
    # What the network told about itself and our account (contract.Batch.known), and how much it still lets us ask.
    known = models.JSONField(default=dict, blank=True)
    limits = models.JSONField(default=dict, blank=True)
    # How far looking back has come, 0 to 1; empty when it is not under way.
    progress = models.FloatField(null=True, blank=True)
    # When the credentials end, and when to renew them before that (connectors.tokens).
    expires_at = models.DateTimeField(null=True, blank=True)
    renew_at = models.DateTimeField(null=True, blank=True)
    # What the last test of the connection found (connecting.Tried); nothing of it is secret.
    tried = models.JSONField(default=dict, blank=True)
    # The last delivery that was signed by nobody whom we know, noted once a minute at most.
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_reason = models.CharField(max_length=200, blank=True)
    speakers = models.ManyToManyField(Department, blank=True, related_name="speaks_through")
    monitors = models.ManyToManyField(Department, blank=True, related_name="monitors")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        default_permissions = ()
        indexes = [
            models.Index("next_poll_at", name="channel_due", condition=models.Q(next_poll_at__isnull=False)),
            models.Index("renew_at", name="channel_to_renew", condition=models.Q(renew_at__isnull=False)),
        ]

    def __str__(self):
        return self.name

    @property
    def credentials(self) -> dict[str, str]:
        """In clear, for the connector alone. Raises WrongKey."""
        return vault.unseal(self.sealed)

    @credentials.setter
    def credentials(self, given):
        self.sealed = vault.seal(given)
        self.expires_at, self.renew_at = tokens.life(given)

    @property
    def network_name(self) -> str:
        return registry.name_of(self.network)

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None

    @property
    def is_trouble(self) -> bool:
        return health.is_trouble(self.state, self.failures, self.trouble)

    @property
    def in_words(self) -> str:
        """How the channel is, as a sentence."""
        return health.in_words(self.state, self.state_reason, self.failures)

    @property
    def ends_at(self) -> datetime | None:
        """When its credentials end without our being able to put it off: as the network said when it was last tried,
        or as they say themselves where they are not renewed."""
        if said := self.tried.get("ends"):
            return datetime.fromisoformat(said)
        return self.expires_at if self.renew_at is None else None

    @property
    def ends_soon(self) -> bool:
        """Whether they do within days: somebody should connect it before."""
        ends = self.ends_at if self.state != self.State.NEEDS_LOGIN else None
        return ends is not None and ends < timezone.now() + tokens.WARN

    @property
    def left(self) -> timedelta | None:
        """How long they are good yet."""
        return max(self.ends_at - timezone.now(), timedelta()) if self.ends_at else None

    @property
    def percent(self) -> int:
        """How far looking back has come."""
        return round(100 * min(max(self.progress or 0, 0), 1))

    @property
    def allowance(self) -> Limits | None:
        """How much the network still lets us ask; None once it counts anew, or where it does not say."""
        reset = datetime.fromisoformat(self.limits["reset"]) if self.limits.get("reset") else None
        if "remaining" not in self.limits or (reset and reset < timezone.now()):
            return None
        return Limits(self.limits["remaining"], self.limits.get("limit"), reset)

    @property
    def waits_until(self) -> datetime | None:
        """Until when the network wants to be left alone (connectors.waits); None once that is over."""
        kept = self.limits.get("wait")
        until = datetime.fromisoformat(kept["until"]) if kept else None
        return until if until and until > timezone.now() else None

    @property
    def polls(self) -> bool:
        """Whether its network is asked at all, or only pushed to."""
        return self.offers.polls

    @property
    def offers(self) -> Capabilities:
        """What this channel can do, by its settings and what its network told; its credentials have no say in that.
        Raises Misconfigured."""
        kind = registry.connector_class(self.network)
        return kind(slug=self.slug, settings=self.settings, known=self.known).offers

    @property
    def is_late(self) -> bool:
        """Whether its time came more than an interval ago and nobody looks at it."""
        now = timezone.now()
        if self.next_poll_at is None or (self.leased_until and self.leased_until > now):
            return False
        return now - self.next_poll_at > max(timedelta(seconds=self.poll_seconds), clock.LEEWAY)

    @property
    def replies(self) -> bool:
        """Whether anything can leave through it; nothing can when its network can not be loaded."""
        try:
            return self.offers.replies
        except Misconfigured:
            return False

    @property
    def looks_soon(self) -> bool:
        """Whether the next visit is so near that its time is not worth saying."""
        return self.next_poll_at is not None and self.next_poll_at < timezone.now() + timedelta(minutes=1)

    def connector(self) -> Connector:
        """The way to the network. Raises Misconfigured or WrongKey."""
        return registry.connector_for(self)

    def advance(self, cursor, **also) -> None:
        """Keep where the next page begins, and what else this page taught, inside the transaction that kept it.

        Raises LeaseLost when the lease is not ours any more: then the whole page rolls back.
        """
        learnt = {"cursor": cursor, **also}
        if not self._if_ours().update(**learnt):
            raise LeaseLost(self)
        for name, value in learnt.items():
            setattr(self, name, value)

    def settle(self, verdict: health.Verdict, **also) -> bool:
        """Give the lease back and keep how the visit went; False, and nothing kept, when the lease is not ours any
        more."""
        kept = {
            "state": verdict.state,
            "state_reason": verdict.reason[:500],
            "failures": verdict.failures,
            "trouble": verdict.trouble,
            "failing_since": (self.failing_since or timezone.now()) if verdict.trouble else None,
            "next_poll_at": verdict.next_poll_at,
            "leased_until": None,
            **also,
        }
        if not self._if_ours().update(**kept):
            return False
        for name, value in kept.items():
            setattr(self, name, value)
        return True

    def _if_ours(self):
        return Channel.objects.filter(pk=self.pk, fence=self.fence)
