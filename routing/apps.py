from django.apps import AppConfig


class Routing(AppConfig):
    name = "routing"

    def ready(self):
        from django.conf import settings

        from routing.scoring.encoder import keep_in

        keep_in(settings.PLACES.data / "models")
        # Its verbs' sentences for the audit, and its say in whether a department may be closed.
        from routing import actions  # noqa: F401
        from routing.learning import choosing, confirming  # noqa: F401
