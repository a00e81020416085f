"""The house's own doors: signing in and out, the first run, and what is said when there is nothing to show."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from departments.audit import record
from departments.decorators import admins_only
from departments.models import Department
from departments.problems import problem_response
from socialhub import away, demo, first_run, restoring
from socialhub.forms import LOOPBACK, DepartmentsForm, FirstAdminForm, SignInForm
from socialhub.models import House

BACKEND = "django.contrib.auth.backends.ModelBackend"


# In and out -------------------------------------------------------------------------------------------------------


class SignIn(LoginView):
    """The door. In demo mode, and only on the machine itself, the demo's people stand beside it."""

    form_class = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form):
        answer = super().form_valid(form)
        record("signed_in", form.get_user(), by=form.get_user())
        return answer

    def get_context_data(self, **named):
        here = settings.DEMO and self.request.META.get("REMOTE_ADDR", "") in LOOPBACK
        return super().get_context_data(**named, demo_people=demo.PEOPLE if here else ())


sign_in = require_http_methods(["GET", "HEAD", "POST"])(SignIn.as_view())
sign_out = LogoutView.as_view()


# First run --------------------------------------------------------------------------------------------------------


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def first_admin(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the one-time link: whoever holds it becomes the first admin, and is signed in."""
    if not first_run.opens(token, House.objects.the()):
        return render(request, "first_run/void.html", status=404)
    form = FirstAdminForm(request.POST or None)
    if request.method == "POST" and form.carry_out(first_run.create_first_admin, token):
        login(request, form.result, backend=BACKEND)
        return redirect("set-up-departments")
    return render(request, "first_run/first_admin.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def set_up_departments(request: HttpRequest) -> HttpResponse:
    form = DepartmentsForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _found(form, request.user):
        return redirect("set-up-channel")
    return render(request, "first_run/departments.html", {"form": form})


@require_GET
@admins_only
def set_up_channel(request: HttpRequest) -> HttpResponse:
    return render(request, "first_run/channel.html", {"departments": Department.objects.open()})


def _found(form: DepartmentsForm, by) -> bool:
    try:
        first_run.choose_departments(form.names(), form.own_names(), coordinate=form.cleaned_data["coordinate"], by=by)
    except ValidationError as refused:
        form.add_error(None, "; ".join(refused.messages))
        return False
    return True


# After a restore ---------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def restored(request: HttpRequest) -> HttpResponse:
    """What waits since the restore, and the button that lets it go."""
    if request.method == "POST":
        doubted = restoring.confirm(by=request.user)
        messages.success(request, f"Replies leave again; {doubted} of the backup are looked for first.")
        return redirect("channels")
    return render(request, "restored.html", {"stands": House.objects.as_it_stands(), **restoring.waiting()})


# When there is nothing to show ------------------------------------------------------------------------------------


def not_found(request: HttpRequest, exception=None) -> HttpResponse:
    """The same for what is hidden and for what never was."""
    if request.path.startswith("/api/"):
        return problem_response(404, "There is nothing here that you may see.")
    return render(request, "404.html", status=404)


def not_allowed(request: HttpRequest, exception=None) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problem_response(403, str(exception) or "Your role does not allow this.")
    return render(request, "403.html", {"reason": str(exception or "")}, status=403)


def broken(request: HttpRequest) -> HttpResponse:
    """Asks nothing of the database, which may be what is broken."""
    if (told := away.answer(request)) is not None:
        return told
    if request.path.startswith("/api/"):
        return problem_response(500, "Something broke on our side. It was written down.")
    return render(None, "500.html", status=500)
