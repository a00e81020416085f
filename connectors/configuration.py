"""An admin's decisions about a channel against what its network asks: types, bounds, nothing unknown, nothing
missing."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import COMMON, Connector, Setting
from connectors.errors import Misconfigured

LONGEST = 2_000


def known(network: type[Connector]) -> dict[str, Setting]:
    """All that can be set for this network, by name; its own word on a common setting wins."""
    return {each.name: each for each in (*COMMON, *network.asks)}


def asked(network: type[Connector]) -> list[Setting]:
    """What a form has to ask: the network's own settings first, then what it heeds of the common ones."""
    own = {each.name for each in network.asks}
    common = [each for each in COMMON if each.name in network.heeds and each.name not in own]
    return [*network.asks, *common]


def clean(network: type[Connector], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are stored: what was given, checked. Raises Misconfigured with a sentence per setting."""
    return _checked(known(network), given)


def clean_secrets(network: type[Connector], given: Mapping[str, Any]) -> dict[str, str]:
    """The same for credentials. Nothing of what was given stands in the error."""
    kept = _checked({each.name: each for each in network.secrets}, given)
    network.check_secrets(kept)
    return dict(network.first_credentials(kept))


def value(network: type[Connector], settings: Mapping[str, Any], name: str) -> Any:
    """What is set, or the network's default."""
    return settings.get(name, known(network)[name].default)


def _checked(asked: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise Misconfigured("The settings have to be a JSON object.")
    problems = {name: f"There is no setting “{name}” here." for name in given if name not in asked}
    kept = {}
    for name, setting in asked.items():
        try:
            if (one := _one(setting, given.get(name))) is not None:
                kept[name] = one
        except ValueError as problem:
            problems[name] = str(problem)
    if problems:
        raise Misconfigured(fields=problems)
    return kept


def _one(setting: Setting, given: Any) -> Any:
    if given is None or given == "":
        if setting.required:
            raise ValueError(f"{setting.label} is needed.")
        return None
    return _READ[setting.kind](setting, given)


def _text(setting: Setting, given: Any) -> str:
    if not isinstance(given, str) or "\0" in given or len(given) > LONGEST:
        raise ValueError(f"{setting.label} has to be text of up to {LONGEST:,} characters.")
    return given.strip()


def _number(setting: Setting, given: Any) -> float:
    least, most = setting.least or 0, setting.most or 1e9
    try:
        number = float(given) if not isinstance(given, bool) else None
        if number is None or not least <= number <= most:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"{setting.label} has to be a number from {least:,g} to {most:,g}.") from None
    return int(number) if number.is_integer() else number


def _flag(setting: Setting, given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError(f"{setting.label} has to be true or false.")
    return given


def _url(setting: Setting, given: Any) -> str:
    given = _text(setting, given)
    try:
        parts = urlsplit(given)
        if parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 1) > 65535:
            raise ValueError
    except ValueError:
        raise ValueError(f"{setting.label} has to be an address that begins with https:// or http://.") from None
    if parts.username or parts.password:
        raise ValueError(f"{setting.label} must not hold a password: settings are shown, credentials are not.")
    return given


def _choice(setting: Setting, given: Any) -> str:
    if given not in dict(setting.choices):
        raise ValueError(f"{setting.label} has to be one of {', '.join(dict(setting.choices))}.")
    return given


_READ = {"text": _text, "number": _number, "flag": _flag, "url": _url, "choice": _choice}
