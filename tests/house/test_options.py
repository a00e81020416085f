"""What Ada may set when she installs it: a wrong value stops the start with a sentence that names it."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from socialhub import options

KEY = Fernet.generate_key().decode()


def refused(**environ) -> str:
    with pytest.raises(ImproperlyConfigured) as error:
        options.read(environ)
    return str(error.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"PORT": "80a"}, "PORT is “80a”; set it to a whole number."),
        ({"PORT": "0"}, "PORT is 0; set it to a number from 1 to 65535."),
        ({"DEMO": "maybe"}, "DEMO is “maybe”; set it to one of: 0, 1."),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is “loud”; set it to one of: DEBUG, INFO, WARNING, ERROR."),
        ({"HOSTS": "https://hub.example.com"}, "is no name of a host: write hub.example.com"),
        ({"HOSTS": "*", "DEMO": "0"}, "is no name of a host"),
        ({"HOSTS": "hub.example.com"}, "DEMO is 1 while HOSTS names hub.example.com"),
        ({"HOSTS": "hub.example.com", "DEMO": "0", "DEBUG": "1"}, "DEBUG is 1 while HOSTS names hub.example.com"),
        ({"HTTPS": "1"}, "HTTPS is 1, and HOSTS does not say under which name"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL is not the address of a Redis-compatible server"),
        ({"METRICS_TOKEN": "with a space in it"}, "METRICS_TOKEN is no token"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, dict) else "",
)
def test_a_wrong_setting_is_told_in_a_sentence(given, told):
    assert told in refused(**given)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("DATABASE_URL", "mysql://hub:canary-secret@db/hub"),
        ("DATABASE_URL", "postgres://hub:canary-secret@db:port/hub"),
        ("CREDENTIAL_KEYS", f"{KEY},canary-secret"),
        ("REDIS_URL", "http://:canary-secret@redis"),
    ],
    ids=["another database", "a wrong port", "half a key", "another server"],
)
def test_a_wrong_secret_is_named_and_not_repeated(name, secret):
    told = refused(**{name: secret})
    assert told.startswith(f"{name} is not ") and "canary" not in told


@pytest.mark.parametrize("name", [option.name for option in options.OPTIONS if option.secret])
def test_every_secret_may_come_from_a_file(name, tmp_path):
    good = {
        "DATABASE_URL": "postgres://hub:word@db:5432/hub", "REDIS_URL": "redis://:word@redis:6379/0",
        "CREDENTIAL_KEYS": KEY,
    }.get(name, "a-long-word-for-a-secret")  # fmt: skip
    file = tmp_path / "secret"
    file.write_text(f"{good}\n")
    assert options.read({f"{name}_FILE": str(file)})[name] == options.read({name: good})[name]
    assert refused(**{name: good, f"{name}_FILE": str(file)}) == (
        f"Both {name} and {name}_FILE are set: keep one of them."
    )
    assert "(No such file or directory)" in refused(**{f"{name}_FILE": str(tmp_path / "none")})
    file.write_text(" \n")
    assert refused(**{f"{name}_FILE": str(file)}).endswith("and that file is empty.")


def test_several_keys_keep_their_order_and_empty_ones_are_left_out():
    other = Fernet.generate_key().decode()
    assert options.read({"CREDENTIAL_KEYS": f" {other}, {KEY},"})["CREDENTIAL_KEYS"] == [other, KEY]


def test_without_a_word_everything_has_its_default():
    found = options.read({})
    assert (found["PORT"], found["DEMO"], found["HOSTS"]) == (8000, True, ["127.0.0.1", "localhost", "[::1]"])
    assert all(option.sentence for option in options.OPTIONS)
