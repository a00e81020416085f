"""API tokens: keys that let a program act for a person, and how one is recognised."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import OuterRef
from django.utils import timezone

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
    limits = ApiToken.departments.through.objects.filter(apitoken=OuterRef("pk")).values("department")
    token = (
        ApiToken.objects.filter(sha256=digest(secret), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .select_related("user")
        .annotate(limited_to=ArraySubquery(limits))
        .first()
    )
    # Once a minute is enough to see whether a token is still in use, and spares a write a request.
    if token and (token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1)):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
