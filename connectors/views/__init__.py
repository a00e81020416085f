"""The channels' pages: thin doors that find, check, call one verb or selection, and answer."""

from connectors.views.connecting import check, choose, sign_in, signed_in
from connectors.views.guides import guide
from connectors.views.ledger import ledger
from connectors.views.opening import connect, edit, estimate, make_secret, new
from connectors.views.pages import channel, channels, replay, verb

__all__ = [
    "channel",
    "channels",
    "check",
    "choose",
    "connect",
    "edit",
    "estimate",
    "guide",
    "ledger",
    "make_secret",
    "new",
    "replay",
    "sign_in",
    "signed_in",
    "verb",
]
