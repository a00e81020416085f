"""The API's front door: tokens, scopes, paging, strict input."""

from collections.abc import Mapping

import orjson
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions, serializers
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder
from structlog.contextvars import bind_contextvars

from departments.models import ApiToken
from departments.tokens import living_token


def bearer(request) -> str | None:
    """The secret in `Authorization: Bearer …`; None when the request names no such thing, "" when it is garbled."""
    parts = get_authorization_header(request).decode("latin-1").split()
    if not parts or parts[0].lower() != "bearer":
        return None
    return parts[1] if len(parts) == 2 else ""


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`. The user that comes out carries the token, and rights are narrowed to it."""

    def authenticate(self, request):
        if (secret := bearer(request)) is None:
            return None
        token = living_token(secret)
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, expired or revoked.")
        token.user.token = token
        bind_contextvars(user=str(token.user.pk))  # the lines of the log tell who asked
        return token.user, token

    def authenticate_header(self, request):
        return "Bearer"


class SignedInAuthentication(SessionAuthentication):
    """People who are signed in may read the API from the browser; what they send needs the CSRF token."""


class JsonBody(JSONParser):
    """JSON as the framework reads it; what is nested beyond all reading is the caller's mistake and not ours."""

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("The JSON is nested too deep to be read.") from None


def as_json(data) -> bytes:
    """As the framework writes it, in a tenth of the time; what orjson can not write (numbers beyond 64 bits) slowly."""
    try:
        return orjson.dumps(data, _OTHERS, orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        return JSONRenderer().render(data)


_OTHERS = JSONEncoder().default


class JsonAnswer(JSONRenderer):
    """JSON on one line, quickly; indented for who asks for that."""

    def render(self, data, accepted_media_type=None, renderer_context=None):
        if data is None or self.get_indent(accepted_media_type, renderer_context or {}):
            return super().render(data, accepted_media_type, renderer_context)
        return as_json(data)


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "departments.api.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer"}


class SignedInScheme(OpenApiAuthenticationExtension):
    target_class = "departments.api.SignedInAuthentication"
    name = "signed in"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class HasScope(BasePermission):
    """The token's scopes against the view's `scopes`, a dict of method (or action) to scope. Unnamed writes need
    `work`."""

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


class StrictSerializer(serializers.Serializer):
    """What a caller sends. A field that is not known is a mistake and not overlooked: it is named in a 400."""

    def to_internal_value(self, data):
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            raise exceptions.ValidationError({name: ["There is no such field here."] for name in unknown})
        return super().to_internal_value(data)
