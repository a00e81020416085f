"""Channels' credentials at rest: encrypted with keys that never lie in the database, and shown to nobody again."""

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from connectors.errors import WrongKey

SHORTEST = 4


def seal(credentials: Mapping[str, str]) -> str:
    """Encrypt with the newest of CREDENTIAL_KEYS. Nothing to hide is the empty text."""
    if not credentials:
        return ""
    return _keys().encrypt(json.dumps(dict(credentials)).encode()).decode()


def unseal(sealed: str) -> dict[str, str]:
    """The credentials again, whichever of the keys they were sealed with. Raises WrongKey when it is none of them."""
    if not sealed:
        return {}
    try:
        return json.loads(_keys().decrypt(sealed.encode()))
    except InvalidToken:
        raise WrongKey from None


def reseal(sealed: str) -> str:
    """The same credentials under the newest key, so that an older one can be thrown away. Raises as `unseal`."""
    try:
        return sealed and _keys().rotate(sealed.encode()).decode()
    except InvalidToken:
        raise WrongKey from None


def is_newest(sealed: str) -> bool:
    """Whether the newest key opens it."""
    try:
        Fernet(settings.CREDENTIAL_KEYS[0]).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def redacted(text: str, credentials: Mapping[str, str]) -> str:
    """The text without any of these secrets: networks like to repeat in an error what they were sent. What has fewer
    letters than SHORTEST, such as a plain “no” that is kept beside them, is a word and no secret."""
    secrets = [each for each in map(str, credentials.values()) if len(each) >= SHORTEST]
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "•••")
    return text


def _keys() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key.strip()) for key in settings.CREDENTIAL_KEYS])
    except ValueError:
        raise ImproperlyConfigured(
            "CREDENTIAL_KEYS holds something that is no key; a key is what "
            "“python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'” prints."
        ) from None
