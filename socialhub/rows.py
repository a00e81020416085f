"""The quicker of the two template engines, for what is drawn many times on a page. Its templates lie in
`templates/jinja2` and draw with the same functions as the others (socialhub.templatetags)."""

from functools import cache

from django.urls import reverse
from jinja2 import Environment

from socialhub.templatetags import look

SAYS = ("icon", "initials", "mood_icon", "network_icon", "priority_icon", "reach", "tint")
_ANY = "00000000-0000-0000-0000-000000000000"


def environment(**options) -> Environment:
    """The engine, as the settings ask for it."""
    engine = Environment(**options)
    engine.globals |= {name: getattr(look, name) for name in SAYS} | {"talk_url": talk_url}
    return engine


def talk_url(conversation_id) -> str:
    """The address of a conversation."""
    return _talk_url().replace(_ANY, str(conversation_id))


@cache
def _talk_url() -> str:
    return reverse("conversation", args=[_ANY])
