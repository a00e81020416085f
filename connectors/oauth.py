"""Signing in by OAuth 2 with an authorisation code: the address of the network's page, and its answers to a code or a
refresh token as credentials. Networks whose library does this by itself need nothing of it."""

import hashlib
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from connectors import http, tokens
from connectors.errors import MakesNoSense, Misconfigured, NotAuthorized, RateLimited, ServerFailed

WRONG_CLIENT = frozenset(("invalid_client", "unauthorized_client"))


def page(address: str, **params: str) -> str:
    """The network's page, as an address for the browser."""
    return f"{address}?{urlencode(params)}"


def proof() -> tuple[str, str]:
    """What only we know, and its shadow that goes through the browser (PKCE, S256)."""
    verifier = secrets.token_urlsafe(64)
    shadow = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return verifier, shadow


def needed(credentials: Mapping[str, str], *names: str) -> None:
    """Raises Misconfigured with a sentence for each of these that an admin has not entered yet."""
    if missing := [name for name in names if not credentials.get(name)]:
        raise Misconfigured(fields={name: f"Enter the app’s {name.replace('_', ' ')} first." for name in missing})


def ask(url: str, own: frozenset[http.Origin], credentials: Mapping[str, str], **form: str) -> dict[str, Any]:
    """What the network answers a code or a refresh token with, as it says it. The app proves itself by its secret, if
    it has one.

    Raises NotAuthorized when the network wants a person, Misconfigured when it does not know the app, and what
    `http.exchange` raises.
    """
    client, secret = credentials.get("client_id", ""), credentials.get("client_secret", "")
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if secret:
        headers["authorization"] = f"Basic {b64encode(f'{client}:{secret}'.encode()).decode()}"
    content = urlencode(form | {"client_id": client}).encode()
    answer = http.exchange(url, method="POST", own=own, headers=headers, content=content)
    _judge(answer)
    said = answer.json()
    if not isinstance(said, dict) or not isinstance(said.get("access_token"), str) or not said["access_token"]:
        raise MakesNoSense("The network did not say a token.")
    return said


def renewed(url: str, own: frozenset[http.Origin], credentials: Mapping[str, str]) -> dict[str, str]:
    """All credentials from now on, for the refresh token among these. Raises as `ask` does, and NotAuthorized where
    there is no refresh token."""
    if not (token := credentials.get("refresh_token")):
        raise NotAuthorized("There is no refresh token.")
    said = ask(url, own, credentials, grant_type="refresh_token", refresh_token=token)
    return credentials_in(said, credentials)


def granted(scopes: Collection[str], words: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was granted and what is missing, in the admin's words. Who does not say what was granted is believed."""
    missing = (f"{what} ({scope})" for scope, what in words.items() if scopes and scope not in scopes)
    return tuple(what for scope, what in words.items() if scope in scopes), tuple(missing)


def credentials_in(said: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, str]:
    """All credentials from now on: what the network said, and what it left as it was."""
    kept = {name: value for name, value in before.items() if name not in tokens.LIFE}
    told = {name: said[name] for name in ("access_token", "refresh_token", "scope") if isinstance(said.get(name), str)}
    seconds = said.get("expires_in")
    lasts = tokens.lasting(seconds) if isinstance(seconds, int | float) else {}
    renewable = {} if told.get("refresh_token") or kept.get("refresh_token") or not lasts else {"renewable": "no"}
    return kept | told | lasts | renewable


def _judge(answer: http.Answer) -> None:
    said = f"The network answered {answer.status} to our sign-in"
    if answer.status == 429:
        raise RateLimited(f"{said}.", until=http.asked_wait(answer.headers))
    if answer.status >= 500:
        raise ServerFailed(f"{said}.")
    error = _named(answer)
    if error in WRONG_CLIENT:
        raise Misconfigured("The network does not know the app: compare its id and secret with the network’s console.")
    if not answer.ok and not error and answer.status not in (400, 401):
        # Whatever stands before the network’s door is no word about our login.
        raise MakesNoSense(f"{said}.")
    if not answer.ok:
        raise NotAuthorized(f"{said}{f' ({error})' if error else ''}.")


def _named(answer: http.Answer) -> str:
    """The error by its name in OAuth, if it is one."""
    try:
        said = answer.json()
    except MakesNoSense:
        return ""
    error = said.get("error") if isinstance(said, dict) else None
    return error[:60] if isinstance(error, str) and error.replace("_", "").isalpha() else ""
