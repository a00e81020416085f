"""Which language each of many messages is in: as the network says; else as it reads; and where that can not be told,
because it is too short or too mixed, as its author wrote before, or as most on its channel write."""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.core.cache import cache
from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from departments.rows import id_of
from inbox.models import Message
from inbox.waiting import Waiting
from routing.facts import Facts
from routing.scoring.language import UNKNOWN, language_of

#: A channel has a language of its own when of its share of the newest messages so many were told, and most were in it.
NEWEST, LEAST, MOST = 2_000, 20, 0.6
_KEPT_SECONDS = 3600


def languages_of(messages: Sequence[Waiting], facts: Mapping[str, Facts]) -> dict[str, str]:
    """Message's id → language code, or `und`. Asks the database only where texts do not tell."""
    known = {each.id: _read(facts[each.id]) for each in messages}
    unsure = [each for each in messages if known[each.id] == UNKNOWN]
    return known | (_inherited(unsure) if unsure else {})


def _read(facts: Facts) -> str:
    return facts.lang or language_of(facts.text[facts.head :])


def _inherited(messages: Sequence[Waiting]) -> dict[str, str]:
    before, usual = _of_authors([each.id for each in messages]), of_channels()
    return {each.id: before.get(each.id) or usual.get(str(each.channel.pk), UNKNOWN) for each in messages}


def _of_authors(ids: Sequence[str]) -> dict[str, str]:
    """What the author of each wrote in last before it, where everybody could read it."""
    earlier = Message.objects.filter(
        identity=OuterRef("identity"), created_at__lt=OuterRef("created_at"), conversation__confidential=False
    )
    last = earlier.exclude(language="").order_by("-created_at").values("language")[:1]
    asked = Message.objects.filter(pk__among=ids, identity__isnull=False).order_by()
    found = asked.annotate(named=id_of("pk"), last=Subquery(last)).values_list("named", "last")
    return {id: language for id, language in found if language}


def of_channels() -> dict[str, str]:
    """The language of each channel (by its id) on which most write in one."""
    return cache.get_or_set("languages-of-channels", _counted, _KEPT_SECONDS) or {}


def _counted() -> dict[str, str]:
    newest = Message.objects.from_outside().order_by("-pk").values("pk")[:NEWEST]
    told = Message.objects.filter(pk__in=newest, created_at__lte=timezone.now()).exclude(language="").order_by()
    counts: dict[str, Counter] = {}
    for channel, language, many in told.values_list("channel", "language").annotate(many=Count("*")):
        counts.setdefault(str(channel), Counter())[language] = many
    return {channel: best for channel, each in counts.items() if (best := _main(each))}


def _main(counted: Counter) -> str:
    (best, many), total = counted.most_common(1)[0], counted.total()
    return best if total >= LEAST and many >= MOST * total else ""
