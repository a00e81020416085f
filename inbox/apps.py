from django.apps import AppConfig


class Inbox(AppConfig):
    name = "inbox"

    def ready(self):
        # Its verbs' sentences for the audit, and its say in whether a department may be closed.
        from inbox import actions, closing  # noqa: F401
