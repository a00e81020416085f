"""What the API says when something is wrong: problem details (RFC 9457), always in the same shape."""

from collections.abc import Mapping
from http import HTTPStatus

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

PROBLEM = "application/problem+json"


def problem(error, context):
    """Every error as problem details (RFC 9457): `type`, `title`, `detail` and, where it is about fields, `fields`.

    An error may carry `extra`, further members of the answer.
    """
    error = _as_api_error(error)
    response = exception_handler(error, context)
    if response is None:
        return None
    body = {"type": f"about:blank#{error.default_code}", "title": _title(response.status_code)}
    if isinstance(error, exceptions.ValidationError):
        body |= {"detail": "Some of what was sent can not be used.", "fields": _fields(response.data)}
    else:
        body["detail"] = str(error.detail)
    extra = getattr(error, "extra", None) or {}
    return Response(body | extra, status=response.status_code, headers=_kept(response), content_type=PROBLEM)


def problem_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Problem details from outside the API's views: middleware, addresses that do not exist."""
    body = {"type": "about:blank", "title": _title(status), "detail": detail}
    return JsonResponse(body, status=status, headers=headers, content_type=PROBLEM)


def _as_api_error(error):
    """The errors of verbs and of Django in the API's own words."""
    if isinstance(error, ValidationError):
        return exceptions.ValidationError(getattr(error, "message_dict", None) or error.messages)
    if isinstance(error, Http404):
        return exceptions.NotFound("There is nothing here that you may see.")
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied(str(error) or None)
    return error


def _fields(data) -> dict:
    """Always an object: what belongs to no field stands under its own name."""
    return data if isinstance(data, dict) else {"non_field_errors": data}


def _title(status: int) -> str:
    return HTTPStatus(status).phrase


def _kept(response):
    return {name: response[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if name in response}
