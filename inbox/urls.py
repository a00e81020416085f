"""The inbox's addresses."""

from django.urls import path

from inbox import views
from inbox.thread import unexplained


def patterns(explain=unexplained) -> list:
    """The pages of the inbox. `explain(conversation, user)` says why a conversation lies where it does; rules stand
    above the inbox, so it is handed in by whoever puts the house together (see `thread.NO_REASON` for what it
    returns)."""
    why = {"explain": explain}
    return [
        path("inbox/", views.queue, name="inbox"),
        path("inbox/bulk/", views.bulk, name="bulk"),
        path("inbox/c/<uuid:conversation>/", views.conversation, why, name="conversation"),
        path("inbox/c/<uuid:conversation>/reply/", views.reply, why, name="conversation-reply"),
        path("inbox/c/<uuid:conversation>/note/", views.note, why, name="conversation-note"),
        path("inbox/items/<uuid:item>/<slug:verb>/", views.item_verb, why, name="item-verb"),
        path("inbox/messages/<uuid:message>/<slug:act>/", views.message_act, why, name="message-act"),
        path("inbox/replies/<uuid:reply>/<slug:verb>/", views.reply_verb, why, name="reply-verb"),
        path("inbox/<slug:department>/", views.queue, name="queue"),
        path("notices/", views.notices, name="notices"),
        path("contacts/", views.contacts, name="contacts"),
        path("contacts/<uuid:contact>/", views.contact, name="contact"),
        path("search/", views.search, name="search"),
    ]


urlpatterns = patterns()
