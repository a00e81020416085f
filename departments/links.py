"""Links with which somebody chooses a password: signed, for one use, and void once they were used or the person
signed in."""

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from departments.models import User

DAYS = settings.PASSWORD_RESET_TIMEOUT // (24 * 60 * 60)


def password_path(person: User) -> str:
    """The page on which this person chooses a password. Who may make one: `actions.allow_new_password`."""
    return reverse(
        "choose-password",
        args=[urlsafe_base64_encode(force_bytes(person.pk)), default_token_generator.make_token(person)],
    )
