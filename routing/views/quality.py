"""How good routing is, and what people do about it: thresholds, models, examples, and saying that something lies
right."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from departments.decorators import needs, only
from departments.models import Department
from inbox.errors import Refused
from inbox.views.answering import piece, tell, way_back
from inbox.views.conversations import find, seen
from inbox.views.talk import talk
from routing.explaining import explain
from routing.learning import choosing, examples
from routing.learning.confirming import confirm
from routing.learning.forms import ExamplesForm, ThresholdForm
from routing.learning.lessons import ENOUGH
from routing.learning.quality import Quality, has_quality
from routing.models import DepartmentExample, RoutingModel
from routing.saying import rounded

quality_only = only(has_quality)


@require_GET
@quality_only
def quality(request: HttpRequest) -> HttpResponse:
    """The figures, counted from what this person may see."""
    return render(request, "routing/quality.html", {"quality": Quality(request.user)})


@require_POST
@quality_only
def threshold(request: HttpRequest) -> HttpResponse:
    """Choose how sure models have to be before they place in a department, or leave it to them again."""
    form = ThresholdForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.first_error())
        return redirect("quality")
    try:
        chosen = choosing.set_threshold(form.cleaned_data["label"], form.value, by=request.user)
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        how = "as each model finds" if chosen.value is None else rounded(chosen.value)
        messages.success(request, f"From now on: {how}.")
    return redirect("quality")


@require_POST
@quality_only
def model_live(request: HttpRequest, model: int) -> HttpResponse:
    """Put the model of this number in force, whatever the comparison said."""
    found = get_object_or_404(RoutingModel.objects.told(), number=model)
    return _chosen(request, lambda: choosing.activate(found, by=request.user))


@require_POST
@quality_only
def model_back(request: HttpRequest) -> HttpResponse:
    """Go back to the model before."""
    if not choosing.may_choose(request.user):
        raise PermissionDenied("Only a coordinator or admin decides which model is live.")
    return _chosen(request, lambda: choosing.go_back(by=request.user))


def _chosen(request: HttpRequest, choose) -> HttpResponse:
    try:
        model = choose()
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"{model} is live.")
    return redirect("quality")


# A conversation -----------------------------------------------------------------------------------------------------
@require_POST
def confirm_routing(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """It lies right; pressed again (`take-back`), nobody has said so."""
    found, yes = find(request.user, conversation), not request.POST.get("take-back")
    try:
        item = confirm(found, by=request.user, yes=yes)
        said = f"Noted: it belongs to {item.department}." if yes else "Taken back."
        tell(request, "Noted: it is nobody’s." if yes and item.department.is_triage else said)
        status = 200
    except Refused as refused:
        tell(request, refused.sentence, refused=True)
        status = 409
    if not request.htmx:
        return way_back(request, found.get_absolute_url())
    drawn = talk(request, seen(request.user, found.pk), explain)
    return piece(request, render_to_string("inbox/_conversation.html", drawn, request=request), status=status)


# Examples -----------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@needs("view_queue", admins_too=True)
def department_examples(request: HttpRequest, department: Department) -> HttpResponse:
    """What belongs to this department: its sentence, and posts that are typical of it."""
    if not examples.may_edit(request.user, department):
        raise PermissionDenied("Only the department’s lead writes down what is typical of it.")
    form = ExamplesForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _written(form, department, request):
        return redirect("department-examples", department=department.slug)
    written = department.examples.select_related("by").order_by("-pk")
    context = {"department": department, "examples": written, "form": form, "enough": ENOUGH}
    return render(request, "routing/examples.html", context, status=422 if request.method == "POST" else 200)


def _written(form: ExamplesForm, department: Department, request: HttpRequest) -> bool:
    try:
        n = examples.add(department, form.cleaned_data["texts"], by=request.user)
    except ValidationError as refused:
        form.add_error("texts", refused)
        return False
    messages.success(request, f"{n} written down." if n else "They stand there already.")
    return True


@require_POST
@needs("view_queue", admins_too=True)
def remove_example(request: HttpRequest, department: Department, example: int) -> HttpResponse:
    if not examples.may_edit(request.user, department):
        raise PermissionDenied("Only the department’s lead writes down what is typical of it.")
    found = get_object_or_404(DepartmentExample.objects.select_related("department"), pk=example, department=department)
    examples.remove(found, by=request.user)
    messages.success(request, "Removed.")
    return redirect("department-examples", department=department.slug)
