from django.apps import AppConfig


class Inbox(AppConfig):
    name = "inbox"

    def ready(self):
        # Its verbs' sentences for the audit, and its say when departments close and people leave.
        from inbox import actions, staff  # noqa: F401
