"""The demo network as people outside see it, so that one can write as somebody and watch it arrive. Demo mode only.

Nobody learns here what the inbox hides from them: a page shows what its reader may see in the inbox, what they wrote
here themselves, and our answers to either.
"""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from connectors.demo import server
from connectors.demo.people import HOUSE, PEOPLE
from connectors.models import Channel, DemoPost
from departments import bell
from inbox.models import Message

KEPT = 50  # of what one wrote here, in the session


class Write(forms.Form):
    """Something that somebody outside writes."""

    person = forms.ChoiceField(
        label="Write as", choices=[(each.handle, f"{each.name}, {each.handle}") for each in PEOPLE]
    )
    account = forms.ChoiceField(label="To", choices=[(each.handle, each.name) for each in HOUSE])
    kind = forms.ChoiceField(
        label="As",
        choices=[
            ("mention", "a public post"),
            ("comment", "a comment"),
            ("dm", "a direct message"),
            ("review", "a review"),
        ],
    )
    text = forms.CharField(
        label="Text",
        max_length=server.LONGEST,
        widget=forms.Textarea(attrs={"rows": 4, "autofocus": True, "dir": "auto"}),
    )
    rating = forms.TypedChoiceField(
        label="Stars, for a review",
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", "none"), *((number, str(number)) for number in range(1, 6))],
    )


class Answer(forms.Form):
    """What they write back to us."""

    text = forms.CharField(label="Write back", max_length=server.LONGEST)


def demo_only(request: HttpRequest) -> None:
    if not settings.DEMO or not Channel.objects.filter(network="demo").exists():
        raise Http404


@require_http_methods(["GET", "POST"])
def outside(request: HttpRequest) -> HttpResponse:
    """Write as somebody, and what one wrote so far with the answers that came."""
    demo_only(request)
    form = Write(request.POST or None, initial={"person": PEOPLE[0].handle})
    if form.is_valid():
        told = form.cleaned_data
        rating = told["rating"] if told["kind"] == "review" else None
        post = server.write_as(told["person"], told["text"], told["kind"], account=told["account"], rating=rating)
        remember(request, post)
        messages.info(request, f"{post.author.name} wrote it. It arrives within seconds.")
        return redirect("outside")
    own = DemoPost.objects.filter(pk__in=written(request), in_reply_to=None).select_related("author")[:KEPT]
    threads = [posts_seen(request, Q(root=post) | Q(pk=post.pk)) for post in own]
    return render(request, "outside/outside.html", {"form": form, "threads": threads})


@require_http_methods(["GET", "POST"])
def thread(request: HttpRequest, number: int) -> HttpResponse:
    """One thread as far as its reader may see it; the author of the last post can write back."""
    demo_only(request)
    post = DemoPost.objects.filter(pk=number).first()
    root = post and (post.root_id or post.pk)
    seen = posts_seen(request, Q(pk=root) | Q(root=root)) if post else []
    if number not in [each.pk for each in seen]:
        raise Http404
    theirs = [each for each in seen if each.direction == "in" and not each.deleted_at]
    form = Answer(request.POST or None)
    if theirs and form.is_valid():
        last = seen[-1] if not seen[-1].deleted_at else theirs[-1]
        back = server.write_as(theirs[-1].author, form.cleaned_data["text"], _kind(theirs[-1]), in_reply_to=last)
        remember(request, back)
        return redirect("outside-thread", number)
    author = theirs[-1].author if theirs else None
    return render(request, "outside/thread.html", {"posts": seen, "form": form, "author": author})


def posts_seen(request: HttpRequest, which: Q) -> list[DemoPost]:
    """These posts, oldest first, as far as this person may see them."""
    posts = list(DemoPost.objects.filter(which).select_related("author").order_by("created_at", "pk"))
    known = set(_known(request, posts)) | set(written(request))
    return [each for each in posts if each.pk in known or (each.direction == "out" and each.in_reply_to_id in known)]


def _known(request: HttpRequest, posts: list[DemoPost]) -> list[int]:
    numbers = [str(each.pk) for each in posts]
    visible = Message.objects.visible_to(request.user).filter(channel__network="demo", external_id__in=numbers)
    return [int(each) for each in visible.values_list("external_id", flat=True)]


def written(request: HttpRequest) -> list[int]:
    return request.session.get("outside", [])


def remember(request: HttpRequest, post: DemoPost) -> None:
    request.session["outside"] = [post.pk, *written(request)][:KEPT]
    bell.wake("fetch")


def _kind(post: DemoPost) -> str:
    return "dm" if post.kind == "dm" else "reply"
