"""The API's front door: tokens, scopes, paging, problem details."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.views import exception_handler

from departments.models import ApiToken
from departments.tokens import living_token

class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`. The user that comes out carries the token, and rights are narrowed to it."""

    def authenticate(self, request):
        parts = get_authorization_header(request).decode("latin-1").split()
        if not parts or parts[0].lower() != "bearer":
            return None
        token = living_token(parts[1]) if len(parts) == 2 else None
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, expired or revoked.")
        token.user.token = token
        return token.user, token

    def authenticate_header(self, request):
        return "Bearer"


class SignedInAuthentication(SessionAuthentication):
    """People who are signed in may read the API from the browser; what they send needs the CSRF token."""


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "departments.api.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer"}


class HasScope(BasePermission):
    """The token's scopes against the view's `scopes`, a dict of method (or action) to scope. Unnamed writes need `work`."""

    def has_permission(self, request, view):
        if not isinstance(request.auth, ApiToken):
            return True
        wanted = getattr(view, "scopes", {})
        default = ApiToken.Scope.READ if request.method in ("GET", "HEAD", "OPTIONS") else ApiToken.Scope.WORK
        scope = wanted.get(getattr(view, "action", None)) or wanted.get(request.method, default)
        if scope not in request.auth.scopes:
            self.message = f"This token lacks the scope “{scope}”."
            return False
        return True


class CursorPages(CursorPagination):
    """`{"next", "previous", "results"}`; `?limit=` up to 200."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = "-created_at"


def problem(error, context):
    """Every error as problem details (RFC 9457): `type`, `title`, `detail` and, where it is about fields, `fields`."""
    if isinstance(error, ValidationError):
        fields = getattr(error, "message_dict", None) or {"detail": error.messages}
        error = exceptions.ValidationError(fields)
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing here that you may see.")
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    response = exception_handler(error, context)
    if response is None:
        return None
    body = {"type": f"about:blank#{error.default_code}", "title": TITLES.get(response.status_code, "Error")}
    if isinstance(error, exceptions.ValidationError):
        body |= {"detail": "Some of what was sent can not be used.", "fields": response.data}
    else:
        body["detail"] = str(getattr(error, "detail", error))
    extra = getattr(error, "extra", None) or {}
    return Response(body | extra, status=response.status_code, headers=_kept(response), content_type="application/problem+json")


TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    415: "Unsupported media type",
    429: "Too many requests",
}


def _kept(response):
    return {name: response[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if name in response}
