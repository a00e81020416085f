from django.core.management.base import BaseCommand

from routing.learning import refit


class Command(BaseCommand):
    help = (
        "Train a model of what people corrected, of the departments' examples and descriptions, and of the seed posts. "
        "It goes live when it is not worse than the live one. The worker does this by itself when it is time."
    )

    def add_arguments(self, parser):
        parser.add_argument("--why", default="", help="what stands beside the model as its reason")

    def handle(self, *, why, **options):
        if (model := refit(why or "By hand, on the command line")) is None:
            self.stdout.write("Another process is training a model already.")
            return
        shown = model.metrics["open"]
        self.stdout.write(f"{model} is {model.get_state_display().lower()}, after {model.metrics['seconds']} s.")
        if shown["n"]:
            right, f1 = f"{shown['accuracy']:.0%} right", shown["macro_f1"]
            self.stdout.write(f"On {shown['n']} corrections: {right}, macro-F1 {f1}.")
