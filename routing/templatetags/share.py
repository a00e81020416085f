"""Shares on the page, and who sees how good routing is."""

from collections.abc import Sized

from django import template

from departments.access import rights
from departments.models import Department
from routing.learning import examples
from routing.learning.quality import has_quality
from routing.saying import rounded

register = template.Library()


@register.filter
def share(value: float, of: int = 1) -> str:
    """“87 %”; a dash where there is nothing of which it would be the share."""
    return rounded(value) if of else "–"


@register.filter
def ratio(number: int, of: Sized) -> float:
    return number / len(of) if len(of) else 0.0


@register.filter
def place(number: float, more: float = 0) -> str:
    """A place on a canvas, the same in every language."""
    return f"{number + more:.1f}".removesuffix(".0")


@register.filter
def sees_quality(user) -> bool:
    """Whether the page about quality is there for this person."""
    return has_quality(rights(user))


@register.filter
def teaches(user, department: Department) -> bool:
    """Whether this person writes down what is typical of the department."""
    return not department.is_triage and examples.may_edit(user, department)
