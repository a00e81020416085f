"""The pages of what rules name: lists of people outside, and campaigns. Who reads rules reads them, a coordinator or
admin keeps them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from departments.forms import VerbForm
from routing.lists import actions
from routing.lists.forms import CampaignForm, ListForm, NewCampaignForm, NewListForm
from routing.models import AuthorList, Campaign
from routing.views.pages import workers_only


@dataclass(frozen=True)
class Kind:
    """What tells pages of lists from pages of campaigns."""

    model: Any
    word: str
    form: Any
    new_form: type[VerbForm]
    found: Callable
    change: Callable
    delete: Callable

    @property
    def page(self) -> str:
        return f"{self.word}s"


LISTS = Kind(AuthorList, "list", ListForm, NewListForm, actions.found_list, actions.change_list, actions.delete_list)
CAMPAIGNS = Kind(
    Campaign,
    "campaign",
    CampaignForm,
    NewCampaignForm,
    actions.found_campaign,
    actions.change_campaign,
    actions.delete_campaign,
)


@require_GET
@workers_only
def lists(request: HttpRequest) -> HttpResponse:
    return _all(request, LISTS)


@require_GET
@workers_only
def campaigns(request: HttpRequest) -> HttpResponse:
    return _all(request, CAMPAIGNS)


@require_http_methods(["GET", "HEAD", "POST"])
@workers_only
def new_list(request: HttpRequest) -> HttpResponse:
    return _new(request, LISTS)


@require_http_methods(["GET", "HEAD", "POST"])
@workers_only
def new_campaign(request: HttpRequest) -> HttpResponse:
    return _new(request, CAMPAIGNS)


@require_http_methods(["GET", "HEAD", "POST"])
@workers_only
def one_list(request: HttpRequest, slug: str) -> HttpResponse:
    return _one(request, LISTS, slug)


@require_http_methods(["GET", "HEAD", "POST"])
@workers_only
def one_campaign(request: HttpRequest, slug: str) -> HttpResponse:
    return _one(request, CAMPAIGNS, slug)


@require_POST
@workers_only
def delete_list(request: HttpRequest, slug: str) -> HttpResponse:
    return _delete(request, LISTS, slug)


@require_POST
@workers_only
def delete_campaign(request: HttpRequest, slug: str) -> HttpResponse:
    return _delete(request, CAMPAIGNS, slug)


# What both do alike -----------------------------------------------------------------------------------------------
def _all(request: HttpRequest, kind: Kind) -> HttpResponse:
    """Each with the rules that name it."""
    uses = actions.uses_of(kind.model)
    rows = [{"each": each, "uses": uses.get(each.slug, ())} for each in kind.model.objects.visible_to(request.user)]
    context = _context(request, kind, rows=rows, now=timezone.now())
    return render(request, f"routing/{kind.page}.html", context)


def _new(request: HttpRequest, kind: Kind) -> HttpResponse:
    _keepers_only(request)
    form = kind.new_form(request.POST or None)
    if request.method == "POST" and form.carry_out(kind.found, by=request.user):
        messages.success(request, f"The {kind.word} “{form.result}” is there. Rules can name it.")
        return redirect(kind.page)
    return _form(request, kind, form)


def _one(request: HttpRequest, kind: Kind, slug: str) -> HttpResponse:
    """In a form for those who keep it; for others as it is."""
    found = get_object_or_404(kind.model.objects.visible_to(request.user), slug=slug)
    form = kind.form.of(found, request.POST or None)
    if request.method == "POST":
        _keepers_only(request)
        if form.carry_out(kind.change, found, by=request.user):
            messages.success(request, f"The {kind.word} “{found}” is changed. The next message is routed by it.")
            return redirect(kind.page)
    return _form(request, kind, form, found=found, uses=actions.uses_of(kind.model).get(slug, ()))


def _form(request: HttpRequest, kind: Kind, form: VerbForm, **more: Any) -> HttpResponse:
    context = _context(request, kind, form=form, **more)
    return render(request, "routing/named.html", context, status=422 if form.errors else 200)


def _delete(request: HttpRequest, kind: Kind, slug: str) -> HttpResponse:
    _keepers_only(request)
    found = get_object_or_404(kind.model.objects.visible_to(request.user), slug=slug)
    try:
        kind.delete(found, by=request.user)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect(kind.word, slug=slug)
    messages.success(request, f"The {kind.word} “{found}” is deleted.")
    return redirect(kind.page)


def _context(request: HttpRequest, kind: Kind, **more: Any) -> dict[str, Any]:
    return {"here": kind.page, "kind": kind, "keeps": actions.may_keep(request.user)} | more


def _keepers_only(request: HttpRequest) -> None:
    if not actions.may_keep(request.user):
        raise PermissionDenied("Only a coordinator or admin changes lists and campaigns.")
