"""Where rules are worked on: the live rules of a set, each change of which is published at once, or a draft of them."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse

from departments.models import User
from routing import actions
from routing.models import RuleSet, RuleSetVersion
from routing.views.pages import editable


@dataclass
class Bench:
    """What somebody works on. `version` is the live one (None before the first), or the draft."""

    rule_set: RuleSet
    version: RuleSetVersion | None
    is_draft: bool = False

    @property
    def rules(self) -> list[Any]:
        return self.version.rules if self.version else []

    @property
    def number(self) -> int | None:
        return self.version.number if self.version else None

    @property
    def query(self) -> str:
        """What the addresses of this bench end with."""
        return f"?draft={self.number}" if self.is_draft else ""

    @property
    def home(self) -> str:
        """The page with the list."""
        return reverse("rules-draft", args=[self.rule_set.pk, self.number]) if self.is_draft else reverse("rules")

    def find(self, uid: str) -> Any:
        """The stored rule. Raises Http404."""
        found = next((each for each in self.rules if each["uid"] == uid), None)
        if found is None:
            raise Http404
        return found

    def save(self, rules: list[Any], *, by: User, why: str, based_on: int | None) -> tuple[str, str]:
        """Keep these rules: what became of them in words, and where to post to undo it (empty for a draft). Raises
        Refused."""
        if self.is_draft and self.version is not None:
            actions.amend(self.version, rules, by=by)
            return f"{why}, in draft {self.number}.", ""
        published = actions.publish(self.rule_set, rules, by=by, why=why, based_on=based_on)
        return f"Version {published.number} is live. {why}.", self._undo(published)

    def _undo(self, published: RuleSetVersion) -> str:
        """The version that was live before comes back, unless somebody published another one meanwhile."""
        if self.version is None:
            return ""
        back = reverse("rules-restore", args=[self.rule_set.pk, self.version.number])
        return f"{back}?based_on={published.number}"


def bench(request: HttpRequest, pk: uuid.UUID) -> Bench:
    """The bench that an address means (`?draft=15`), for somebody who may change its rules. Raises Http404, and
    PermissionDenied for who may only read them."""
    found = editable(request, pk)
    asked = request.GET.get("draft", "")
    if not asked:
        return Bench(found, found.live)
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0
    draft = found.versions.filter(state=RuleSetVersion.State.DRAFT, number=number).first()
    if draft is None:
        raise Http404
    draft.rule_set = found
    return Bench(found, draft, is_draft=True)
