"""Rules on the page: the terms that a sentence quotes stand out."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_QUOTED = re.compile(r"“([^“”]*)”")


@register.filter
def said(sentence: str) -> SafeString:
    """The sentence, escaped, with its quoted terms in bold."""
    return mark_safe(_QUOTED.sub(r"<b><bdi>\1</bdi></b>", escape(sentence)))
