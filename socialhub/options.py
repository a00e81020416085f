"""What an operator may set, one row each: name, what stands there when nothing is said, a sentence, and how it is read.

The settings, README's table, `manage.py options` and the checks at the start come from this one place. A secret may
also be given as a file (`SECRET_KEY_FILE=/run/secrets/secret_key`), so that it stands in no process's environment.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
HOST = re.compile(r"\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\]", re.IGNORECASE)
KEY_MAKER = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


class Wrong(ValueError):
    """The message goes on after “NAME is …”, and tells what to set instead."""


def text(said: str) -> str:
    return said


def boolean(said: str) -> bool:
    return choice("0", "1")(said) == "1"


def choice(*allowed: str) -> Callable[[str], str]:
    def read(said: str) -> str:
        if said not in allowed:
            raise Wrong(f"“{said}”; set it to one of: {', '.join(allowed)}.")
        return said

    return read


def number(least: int, most: int) -> Callable[[str], int]:
    def read(said: str) -> int:
        if not re.fullmatch(r"\s*-?[0-9]{1,18}\s*", said):
            raise Wrong(f"“{said}”; set it to a whole number.")
        if not least <= int(said) <= most:
            raise Wrong(f"{int(said)}; set it to a number from {least} to {most}.")
        return int(said)

    return read


def hosts(said: str) -> list[str]:
    """Names without scheme, port or path, as a browser's `Host` says them."""
    names = [name.strip() for name in said.split(",") if name.strip()]
    for name in names:
        if not HOST.fullmatch(name):
            raise Wrong(f"“{said}”, and “{name}” is no name of a host: write hub.example.com, commas between several.")
    return names or list(LOOPBACK)


def keys(said: str) -> list[str]:
    """Keys for channels' credentials, newest first. Never repeats what was said: it may be half a key."""
    names = [key.strip() for key in said.split(",") if key.strip()]
    try:
        for key in names:
            Fernet(key)
    except ValueError:
        raise Wrong(f"not a list of keys; “{KEY_MAKER}” prints one, and commas stand between several.") from None
    return names


def secret_key(said: str) -> str:
    if 0 < len(said) < 16:
        raise Wrong("too short to sign anything with: set it to 50 random signs.")
    return said


def token(said: str) -> str:
    if said and not re.fullmatch(r"[!-~]{16,}", said):
        raise Wrong("no token: set it to 16 or more signs without spaces.")
    return said


def database(said: str) -> dict[str, Any]:
    """What Django calls a database. The address is not repeated: a password may stand in it."""
    if not said:
        return {}
    try:
        found = environ.Env.db_url_config(said)
    except Exception:
        found = {}
    if found.get("ENGINE") != "django.db.backends.postgresql" or not found.get("NAME"):
        raise Wrong("not the address of a PostgreSQL; write postgres://user:password@host:5432/name.")
    return found


def redis(said: str) -> str:
    if said and not re.match(r"rediss?://.", said):
        raise Wrong("not the address of a Redis-compatible server; write redis://:password@host:6379/0.")
    return said


@dataclass(frozen=True)
class Option:
    name: str
    default: str  # as one would type it
    sentence: str
    read: Callable[[str], Any] = text
    secret: bool = False
    told: str = ""  # what README's table says of the default, where the bare word would say nothing

    def value(self, environ: Mapping[str, str]) -> Any:
        """What it was set to. Raises ImproperlyConfigured with a sentence that names it."""
        said = environ.get(self.name, "")
        if self.secret:
            said = said or self._from_file(environ)
        try:
            return self.read(said or self.default)
        except Wrong as wrong:
            raise ImproperlyConfigured(f"{self.name} is {wrong}") from None

    def _from_file(self, environ: Mapping[str, str]) -> str:
        path = environ.get(f"{self.name}_FILE", "")
        if not path:
            return ""
        try:
            found = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise ImproperlyConfigured(f"{self.name}_FILE names {path}, which can not be read ({why}).") from None
        if not found:
            raise ImproperlyConfigured(f"{self.name}_FILE names {path}, and that file is empty.")
        return found


KEPT = "made on the first start, kept in the data folder"
OPTIONS = (
    Option("PORT", "8000", "where the pages are served, on 127.0.0.1", number(1, 65535)),
    Option(
        "DATA_DIR", "", "where data, sockets, logs and keys lie; for root below a closed folder a place in "
        "`/var/lib/social-hub/`", told="`.data/`",
    ),
    Option(
        "DEMO", "1", "the demo organisation; `DEMO=0 make run` starts empty and prints a one-time link for the first "
        "admin", boolean,
    ),
    Option("HOSTS", "", "names under which people reach it, commas between them", hosts, told="this machine"),
    Option("HTTPS", "0", "`1` when a proxy in front speaks TLS: secure cookies, HSTS, redirects", boolean),
    Option("ORGANISATION", "", "the name in the rail, else what the first admin typed"),
    Option(
        "DATABASE_URL", "", "a PostgreSQL of your own instead of the embedded one (15 or newer, in UTF-8)", database,
        secret=True,
    ),
    Option("REDIS_URL", "", "a Redis-compatible server of your own instead of the embedded one", redis, secret=True),
    Option("WORKER_THREADS", "24", "networks that a worker waits for at once; waiting costs little", number(4, 64)),
    Option(
        "UNDO_SEND_SECONDS", "5", "how long a reply waits so that its writer can stop it", number(0, 60),
    ),
    Option(
        "LEARNED_ROUTING", "on", "`off`: what no rule places waits in Triage, and no model learns or is asked",
        choice("on", "off"),
    ),
    Option("SECRET_KEY", "", "signing of sessions and links", secret_key, secret=True, told=KEPT),
    Option(
        "CREDENTIAL_KEYS", "", "encryption of channels’ credentials, newest key first, commas between them", keys,
        secret=True, told=KEPT,
    ),
    Option(
        "METRICS_TOKEN", "", "opens `/metrics` as a bearer token; without one it answers this machine alone", token,
        secret=True,
    ),
    Option("LOG_LEVEL", "INFO", "how much the logs say", choice(*LOG_LEVELS)),
    Option(
        "LOG_FORMAT", "text", "`json` for one object a line; the container’s image sets it", choice("text", "json"),
    ),
    Option("DEBUG", "0", "Django’s own error pages; never where others can see them", boolean),
)  # fmt: skip


def read(environ: Mapping[str, str]) -> dict[str, Any]:
    """Every option's value. Raises ImproperlyConfigured with a sentence for what is wrong or does not fit together."""
    for option in OPTIONS:
        both = option.secret and environ.get(option.name) and environ.get(f"{option.name}_FILE")
        if both:
            raise ImproperlyConfigured(f"Both {option.name} and {option.name}_FILE are set: keep one of them.")
    values = {option.name: option.value(environ) for option in OPTIONS}
    _fit_together(values)
    return values


def _fit_together(values: Mapping[str, Any]) -> None:
    """What each may be alone, and together would open the house to others or lead nowhere."""
    public = [name for name in values["HOSTS"] if name not in LOOPBACK]
    for name, why in (
        ("DEMO", "the demo’s people have a password that everybody knows"),
        ("DEBUG", "its error pages show settings and texts"),
    ):
        if values[name] and public:
            raise ImproperlyConfigured(f"{name} is 1 while HOSTS names {public[0]}, and {why}: set {name}=0.")
    if values["HTTPS"] and not public:
        raise ImproperlyConfigured("HTTPS is 1, and HOSTS does not say under which name: set HOSTS=hub.example.com.")


def table() -> str:
    """README's table of settings, line by line."""
    lines = ["| variable | default | what it does |", "|---|---|---|"]
    for option in OPTIONS:
        default = option.told or (f"`{option.default}`" if option.default else "")
        lines.append(f"| `{option.name}` |{f' {default} ' if default else ' '}| {option.sentence} |")
    return "\n".join(lines)
