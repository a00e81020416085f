"""The demo network itself: what people write there, what its readers get, what it does with a reply of ours.

It knows nothing of channels or of an inbox. The page of the outside world and the tests write through it as anybody
(`write_as`, `edit`, `delete`) and see in `posts()` what everybody would see. It takes the same reply twice if it is
sent twice, as real networks do: that is what counts doubles.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from connectors.contract import Author, Post
from connectors.demo.people import HOUSE, MAIN, PEOPLE, Somebody
from connectors.models import DemoNetwork, DemoPerson, DemoPost

LONGEST = 500
PLACE = "/outside/"  # where the page of the outside world shows the network


class NoSuchPost(Exception):
    """The post is not there, or not any more."""


# What people do -------------------------------------------------------------------------------------------------


@transaction.atomic
def write_as(
    person: DemoPerson | Somebody | str,
    text: str,
    kind: str = "mention",
    in_reply_to: DemoPost | None = None,
    *,
    account: str = "",
    at: datetime | None = None,
    **more,
) -> DemoPost:
    """Let somebody write something: a person, or a handle of one who is or will be on the network.

    It is addressed to the account that `in_reply_to` was, else to `account`, else to whom the text mentions.
    """
    author = join(person)
    post = DemoPost(
        author=author,
        account=_addressed(author, text, in_reply_to, account),
        kind=kind,
        direction="out" if author.is_house else "in",
        text=text,
        visibility="direct" if kind == "dm" else "public",
        in_reply_to=in_reply_to,
        root_id=(in_reply_to.root_id or in_reply_to.pk) if in_reply_to else None,
        created_at=at or timezone.now(),
        change=_next_change(),
        **({"lang": author.lang} | more),
    )
    post.save(force_insert=True)
    return post


@transaction.atomic
def edit(post: DemoPost, text: str, *, at: datetime | None = None) -> DemoPost:
    """Let the author change the text; readers get the post again."""
    post.text, post.edited_at, post.change = text, at or timezone.now(), _next_change()
    post.save(update_fields=["text", "edited_at", "change"])
    return post


@transaction.atomic
def delete(post: DemoPost, *, at: datetime | None = None) -> DemoPost:
    """Let the author delete it; readers get a notice without text and author."""
    post.deleted_at, post.change = at or timezone.now(), _next_change()
    post.save(update_fields=["deleted_at", "change"])
    return post


def posts() -> QuerySet[DemoPost]:
    """All that stands there now, newest first."""
    return DemoPost.objects.filter(deleted_at=None).select_related("author", "in_reply_to__author")


def join(person: DemoPerson | Somebody | str) -> DemoPerson:
    """Somebody on the network; who is not there yet joins."""
    if isinstance(person, DemoPerson):
        return person
    handle = person if isinstance(person, str) else person.handle
    told = _KNOWN.get(handle) or (person if isinstance(person, Somebody) else Somebody(handle, handle))
    there, _ = DemoPerson.objects.get_or_create(
        handle=handle,
        defaults={
            "name": told.name,
            "followers": told.followers,
            "verified": told.verified,
            "lang": told.lang,
            "is_house": told.is_house,
        },
    )
    return there


# What readers get -----------------------------------------------------------------------------------------------


def last_change() -> int:
    """The number of the newest change. All up to it can be read: changes are committed in their order."""
    return DemoNetwork.objects.filter(pk=1).values_list("last_change", flat=True).first() or 0


def changes(
    after: int, until: int, *, account: str = "", query: str = "", since: datetime | None = None, limit: int = 100
) -> Sequence[DemoPost]:
    """Posts that were written, edited or deleted after that change, each once and as it is now, in order of change.

    Of one account or of all; with a `query` instead all that people said in public with these words in it.
    """
    found = DemoPost.objects.filter(change__gt=after, change__lte=until).select_related("author").order_by("change")
    if query:
        found = found.filter(text__icontains=query, visibility="public", direction="in")
    else:
        found = found.filter(account__handle=account) if account else found.exclude(account=None)
    return list((found.filter(created_at__gte=since) if since else found)[:limit])


def as_post(post: DemoPost) -> Post:
    """The post as the contract knows it; of a deleted one nothing is left but that it was there."""
    gone = post.deleted_at is not None
    return Post(
        id=str(post.pk),
        kind=post.kind,  # type: ignore[arg-type]
        text="" if gone else post.text,
        created_at=post.created_at,
        author=None if gone else _author(post.author),
        edited_at=post.edited_at,
        deleted=gone,
        direction=post.direction,  # type: ignore[arg-type]
        url=url_of(post.pk),
        in_reply_to=str(post.in_reply_to_id or ""),
        thread=str(post.root_id or post.pk),
        lang=post.lang,
        title="" if gone else post.title,
        rating=post.rating,
        visibility=post.visibility,
        global_id=global_id_of(post.pk),
    )


def url_of(number: int) -> str:
    """Where people can see the post: demo mode is served on this machine alone."""
    return f"http://127.0.0.1:{settings.PORT}{PLACE}{number}/"


def global_id_of(number: int) -> str:
    return f"demo:{number}"


# What it does with a reply of ours ------------------------------------------------------------------------------


def accept(text: str, in_reply_to: str, client_key: str, *, account: str = "") -> DemoPost:
    """Take a reply, again and again if it is sent again. Raises NoSuchPost when there is nothing to reply to."""
    target = DemoPost.objects.filter(pk=_number(in_reply_to), deleted_at=None).select_related("account").first()
    if target is None:
        raise NoSuchPost
    ours = account or (target.account.handle if target.account else MAIN)
    kind = "dm" if target.kind == "dm" else "reply"
    return write_as(ours, text, kind, target, client_key=client_key, lang="")


@transaction.atomic
def act(number: str, **changes) -> DemoPost:
    """Like it, hide it from others or show it again; twice is once. Raises NoSuchPost."""
    post = DemoPost.objects.select_for_update().filter(pk=_number(number), deleted_at=None).first()
    if post is None:
        raise NoSuchPost
    for name, value in changes.items():
        setattr(post, name, value)
    post.save(update_fields=list(changes))
    return post


def find(text: str, in_reply_to: str, client_key: str, since: datetime) -> DemoPost | None:
    """A reply of ours to this post, by its text or by what we called it."""
    ours = DemoPost.objects.filter(
        direction="out", in_reply_to_id=_number(in_reply_to), created_at__gte=since, deleted_at=None
    )
    return ours.filter(Q(text=text) | Q(client_key=client_key)).order_by("pk").first()


# ----------------------------------------------------------------------------------------------------------------

_KNOWN = {each.handle: each for each in (*HOUSE, *PEOPLE)}


def _next_change() -> int:
    """The next number. Its row stays locked until the commit, so numbers become visible in their order."""
    if not DemoNetwork.objects.filter(pk=1).update(last_change=F("last_change") + 1):
        DemoNetwork.objects.bulk_create([DemoNetwork(pk=1)], ignore_conflicts=True)
        return _next_change()
    return DemoNetwork.objects.values_list("last_change", flat=True).get(pk=1)


def _addressed(author: DemoPerson, text: str, in_reply_to: DemoPost | None, account: str) -> DemoPerson | None:
    if author.is_house:
        return author
    if in_reply_to is not None:
        return in_reply_to.account
    # The longest first: “@mirabelo_jobs” also begins with “@mirabelo”.
    named = [each.handle for each in sorted(HOUSE, key=lambda each: -len(each.handle)) if f"@{each.handle}" in text]
    return join(account or (named[0] if named else MAIN))


def _author(person: DemoPerson) -> Author:
    return Author(
        id=f"u{person.pk}",
        handle=person.handle,
        name=person.name,
        followers=person.followers,
        verified=person.verified,
    )


def _number(remote_id: str) -> int:
    return int(remote_id) if remote_id.isascii() and remote_id.isdigit() and len(remote_id) < 19 else 0
