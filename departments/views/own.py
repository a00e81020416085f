"""What people set for themselves: name, time, look, password, API tokens."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordResetConfirmView
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from departments import actions, tokens
from departments.access import rights
from departments.audit import record
from departments.forms import FirstPasswordForm, OwnForm, OwnPasswordForm, TokenForm
from departments.models import ApiToken, Department, User


@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    form = OwnForm.of(request.user, request.POST or None)
    if request.method == "POST" and form.carry_out(actions.change_self, by=request.user):
        messages.success(request, "Your settings are kept.")
        return redirect("me")
    return _page(request, form=form)


@sensitive_post_parameters()
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Another password; every other session of this person ends."""
    form = OwnPasswordForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, password_form=form)
    form.save()
    record("password_chosen", request.user, by=request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, "Your password is changed. Other devices are signed out.")
    return redirect("me")


@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """A new API token; the page shows its secret this once."""
    form = TokenForm(request.POST, departments=_with_a_role(request.user))
    if not form.carry_out(tokens.make_token, request.user, by=request.user):
        return _page(request, token_form=form)
    token, secret = form.result
    return render(request, "departments/token.html", {"token": token, "secret": secret})


@require_POST
def revoke_token(request: HttpRequest, token: str) -> HttpResponse:
    """Revoke a token of one's own, or as an admin anybody's."""
    mine = ApiToken.objects.all() if rights(request.user).admin else request.user.tokens
    token = get_object_or_404(mine, pk=token)
    tokens.revoke_token(token, by=request.user)
    messages.success(request, f"The token “{token}” is revoked.")
    return redirect("me") if token.user_id == request.user.pk else redirect("person", token.user_id)


class ChoosePassword(PasswordResetConfirmView):
    """The door for people with a link from an admin: they choose a password, once, and sign in with it."""

    form_class = FirstPasswordForm
    template_name = "departments/choose_password.html"
    success_url = reverse_lazy("sign-in")
    post_reset_login = False

    def get_user(self, uidb64):
        found = super().get_user(uidb64)
        return found if found and found.is_active else None

    def form_valid(self, form):
        answer = super().form_valid(form)
        record("password_chosen", self.user, by=self.user)
        messages.success(self.request, "Your password is set. Sign in with it.")
        return answer


def _with_a_role(user: User) -> QuerySet[Department]:
    """The departments to which a token of this person's can be limited."""
    return Department.objects.open().filter(pk__in=rights(user).roles)


choose_password = require_http_methods(["GET", "HEAD", "POST"])(ChoosePassword.as_view())


def _page(request: HttpRequest, **forms) -> HttpResponse:
    user = request.user
    context = {
        "form": OwnForm.of(user),
        "password_form": OwnPasswordForm(user),
        "token_form": TokenForm(departments=_with_a_role(user), initial={"scopes": [ApiToken.Scope.READ]}),
        "tokens": user.tokens.filter(revoked_at=None).prefetch_related("departments"),
    }
    return render(request, "departments/me.html", context | forms)
