"""A browser without a screen: it finds a form on a page, fills it in and submits what a browser would submit."""

import re
from html import unescape
from html.parser import HTMLParser

from django.test import Client


class Page:
    """One page, as somebody has it before them."""

    def __init__(self, client: Client, address: str):
        self.client, self.answer = client, client.get(address)
        assert self.answer.status_code == 200, (address, self.answer.status_code)
        self.html = " ".join(self.answer.content.decode().split())
        self.text = " ".join(unescape(re.sub("<[^>]*>", "", self.html)).split())
        reader = _Reader(address)
        reader.feed(self.answer.content.decode())
        self.forms = reader.forms

    def submit(self, action: str, *, press: tuple[str, str] | None = None, **typed):
        """Fill in the form that goes to `action` and submit it, by the button `press` where it has a name. What it does
        not offer can not be filled in: KeyError."""
        form = next((each for each in self.forms if each.goes_to(action, press)), None)
        assert form, f"No form here goes to {action} by {press}: {[each.action for each in self.forms]}"
        return self.client.post(action, form.sent(typed, press))


class Form:
    def __init__(self, action: str):
        self.action, self.offered, self.values = action, set(), []
        self.buttons: set[tuple[str, str, str]] = set()

    def goes_to(self, action: str, press) -> bool:
        if press is None:
            return self.action == action
        return (*press, action) in {(name, value, goes or self.action) for name, value, goes in self.buttons}

    def sent(self, typed: dict, press) -> dict[str, list[str]]:
        if missing := typed.keys() - self.offered:
            raise KeyError(f"The form at {self.action} has no {missing}")
        found: dict[str, list[str]] = {}
        for name, value in self.values:
            found.setdefault(name, []).append(value)
        return found | {name: [value] for name, value in typed.items()} | ({press[0]: [press[1]]} if press else {})


class _Reader(HTMLParser):
    """Every form of a page with what its fields hold, as HTML says that they are submitted."""

    def __init__(self, address: str):
        super().__init__()
        self.address = address
        self.forms: list[Form] = []
        self.within: Form | None = None
        self.area = self.choice = ""
        self.first_option = False

    def handle_starttag(self, tag, attributes):
        at = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.within = Form(at.get("action") or self.address)
            self.forms.append(self.within)
        elif self.within and "disabled" not in at:
            getattr(self, f"_{tag}", lambda at: None)(at)

    def handle_endtag(self, tag):
        if tag == "form":
            self.within = None
        elif tag in ("textarea", "select"):
            self.area = self.choice = ""

    def handle_data(self, data):
        if self.area and self.within:
            # A line break right after the tag does not count.
            self.within.values[-1] = (self.area, self.within.values[-1][1] + data.removeprefix("\n"))

    def _input(self, at):
        kind, name = at.get("type", "text"), at.get("name")
        if not name or kind in ("submit", "button", "image", "reset"):
            return
        self.within.offered.add(name)
        if kind not in ("radio", "checkbox") or "checked" in at:
            self.within.values.append((name, at.get("value", "on" if kind in ("radio", "checkbox") else "")))

    def _textarea(self, at):
        if self.within and (name := at.get("name")):
            self.area = name
            self.within.offered.add(name)
            self.within.values.append((name, ""))

    def _select(self, at):
        self.choice, self.first_option = at.get("name", ""), True
        self.within.offered.add(self.choice)

    def _option(self, at):
        if self.choice and (self.first_option or "selected" in at):
            if not self.first_option:
                self.within.values.pop()
            self.within.values.append((self.choice, at.get("value", "")))
            self.first_option = False

    def _button(self, at):
        if at.get("type", "submit") == "submit" and at.get("name"):
            self.within.buttons.add((at["name"], at.get("value", ""), at.get("formaction", "")))
