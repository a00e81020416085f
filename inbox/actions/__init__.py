"""What people do about conversations: one function per verb, each atomic, audited, with `by=`.

A verb asks for rights again, whatever its door asked: what its caller may not see is `Http404`, what they see but may
not do `PermissionDenied`, what can not be done as things stand `Refused` (with a sentence), and then nothing was
changed.
"""

from inbox.actions.approving import approve, revise, send_back
from inbox.actions.giving import Gift, give_many, take_back
from inbox.actions.handing import accept, decline, hand_off, move
from inbox.actions.moderating import moderate
from inbox.actions.ordering import Order
from inbox.actions.placing import Placement, add_department, place, place_many
from inbox.actions.talking import cancel_reply, confirm_sent, note, remove_note, reply, send_again
from inbox.actions.telling import read_notices
from inbox.actions.undoing import undo
from inbox.actions.working import assign, prioritise, read, reopen, resolve, snooze, tag, take, wake

__all__ = [
    "Gift",
    "Order",
    "Placement",
    "accept",
    "add_department",
    "approve",
    "assign",
    "cancel_reply",
    "confirm_sent",
    "decline",
    "give_many",
    "hand_off",
    "moderate",
    "move",
    "note",
    "place",
    "place_many",
    "prioritise",
    "read",
    "read_notices",
    "remove_note",
    "reopen",
    "reply",
    "resolve",
    "revise",
    "send_again",
    "send_back",
    "snooze",
    "tag",
    "take",
    "take_back",
    "undo",
    "wake",
]
