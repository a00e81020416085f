"""API tokens: keys that let a program act for a person, and how one is recognised."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import OuterRef, QuerySet
from django.utils import timezone

from departments import statements
from departments.access import rights
from departments.audit import record
from departments.models import ApiToken, Department, User

LIFE = timedelta(days=365)
LONGEST_LIFE = timedelta(days=366)


@transaction.atomic
def make_token(
    user: User,
    name: str,
    *,
    scopes: Iterable[str] = (),
    departments: Iterable[Department] = (),
    life: timedelta = LIFE,
    by: User | str,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is shown this once and stored only as SHA-256 (256 random bits need no slow
    hash).

    No scopes means all of them, no departments all that its owner works in. People make tokens for themselves alone;
    the command line (`by="system"`) makes them for anyone. Raises PermissionDenied and ValidationError.
    """
    if isinstance(by, User) and by != user:
        raise PermissionDenied("A token acts for the person who makes it; nobody makes one for somebody else.")
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise ValidationError({"life": "A token lives for a year at most."})
    only = list(departments)
    if not rights(user).roles.keys() >= {each.pk for each in only}:
        raise ValidationError({"departments": "A token can be limited to departments in which its owner has a role."})
    secret = f"sh_{secrets.token_urlsafe(32)}"
    token = ApiToken(user=user, name=name, sha256=digest(secret), expires_at=timezone.now() + life)
    token.scopes = list(scopes) or list(ApiToken.Scope.values)
    token.full_clean()
    token.save()
    token.departments.set(only)
    record("token_made", token, by=by, name=token.name)
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, by: User | str) -> None:
    """The token opens nothing from this commit on. Its owner may do that, and an admin. Twice is once."""
    if isinstance(by, User) and by.pk != token.user_id and not rights(by).admin:
        raise PermissionDenied("Only its owner or an admin can revoke a token.")
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record("token_revoked", token, by=by, name=token.name)


def living_token(secret: str) -> ApiToken | None:
    """The token with this secret, with its user, unless it is unknown, expired or revoked, or its owner's account
    closed."""
    now = timezone.now()
    given = {_SOME_TOKEN: digest(secret), _SOME_TIME: now}
    token = next(map(_token, statements.rows("living token", _living, given)), None)
    # Once a minute is enough to see whether a token is still in use, and spares a write a request.
    if token and (token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1)):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


#: What stands in the statement, which is written once, in place of the token asked for and of now.
_SOME_TOKEN, _SOME_TIME = "the fingerprint of a token", datetime(1, 1, 1, tzinfo=UTC)
_OF_TOKEN, _OF_USER = ([each.attname for each in model._meta.concrete_fields] for model in (ApiToken, User))


def _living() -> QuerySet:
    limits = ApiToken.departments.through.objects.filter(apitoken=OuterRef("pk")).values("department")
    living = ApiToken.objects.filter(
        sha256=_SOME_TOKEN, revoked_at=None, expires_at__gt=_SOME_TIME, user__is_active=True
    )
    return living.values_list(*_OF_TOKEN, *(f"user__{name}" for name in _OF_USER), ArraySubquery(limits))


def _token(row: tuple) -> ApiToken:
    own, of_user, limited_to = row[: len(_OF_TOKEN)], row[len(_OF_TOKEN) : -1], row[-1]
    token = ApiToken.from_db(DEFAULT_DB_ALIAS, _OF_TOKEN, own)
    token.user = User.from_db(DEFAULT_DB_ALIAS, _OF_USER, of_user)
    token.limited_to = limited_to
    return token


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
