"""Who may do what with channels: admins configure, coordinators may stop and start them, auditors read, members see
those that their departments speak through or monitor. What somebody may not know of is 404."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from connectors.models import Channel
from departments.access import Rights, rights


def may_configure(held: Rights) -> bool:
    """Open and change channels, enter credentials, try quarantined posts again."""
    return held.admin


def may_steer(held: Rights) -> bool:
    """Pause, resume, freeze, thaw, poll now."""
    return held.admin or held.coordinator


def may_inspect(held: Rights) -> bool:
    """Read settings, ledger and quarantine (reasons and metadata, never anybody's text)."""
    return may_steer(held) or held.auditor


def find(user, slug: str) -> Channel:
    """The channel, if this person may know of it; else Http404."""
    return get_object_or_404(Channel.objects.visible_to(user).with_people(), slug=slug)


def find_for(question, user, slug: str) -> Channel:
    """The channel, if the answer to the question is yes; 404 when hidden, PermissionDenied when seen but not
    allowed."""
    channel = find(user, slug)
    if not question(rights(user)):
        raise PermissionDenied("Your role does not allow this with channels.")
    return channel
