"""What was done, newest first, for those who may read it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from departments.audit import names_of, sentence, verbs
from departments.decorators import audit_readers_only
from departments.forms import AuditFilter
from departments.models import AuditEntry

PAGE = 50


@require_GET
@audit_readers_only
def audit(request: HttpRequest) -> HttpResponse:
    """A page of sentences. `?before=` is the entry after which it begins, so a page stays where it is while more is
    done."""
    form = AuditFilter(request.GET, verbs=verbs())
    entries = _chosen(AuditEntry.objects.visible_to(request.user), form).select_related("by", "department")
    if (before := request.GET.get("before", "")).isdecimal():
        entries = entries.filter(pk__lt=int(before))
    page = list(entries[: PAGE + 1])
    people = names_of(page)
    context = {
        "form": form,
        "lines": [{"entry": one, "sentence": sentence(one, people)} for one in page[:PAGE]],
        "next_url": _after(request, page[PAGE - 1]) if len(page) > PAGE else "",
    }
    return render(request, "departments/audit.html", context)


def _chosen(entries, form: AuditFilter):
    if not form.is_valid():
        return entries
    if person := form.cleaned_data["person"]:
        entries = entries.filter(by=person)
    if verb := form.cleaned_data["verb"]:
        entries = entries.filter(verb=verb)
    if day := form.cleaned_data["day"]:
        entries = entries.on(day, timezone.get_current_timezone())
    return entries


def _after(request: HttpRequest, last: AuditEntry) -> str:
    query = request.GET.copy()
    query["before"] = str(last.pk)
    return f"?{query.urlencode()}"
