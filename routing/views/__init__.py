"""The pages of rules, a room for each."""

from routing.views.rules import VERBS, begin, rule, rule_verb
from routing.views.trying import try_rules
from routing.views.versions import restore, version

__all__ = ["VERBS", "begin", "restore", "rule", "rule_verb", "try_rules", "version"]
