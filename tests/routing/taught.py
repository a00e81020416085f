"""A house with a model of a few words, and an encoder that needs no memory: no test waits until a real one is made."""

import numpy as np
import pytest

from routing import reading
from routing.models import RoutingModel

LABELS = ("customer-service", "hr", "pr", "rnd", "none")
#: What the model says of a text that holds the word.
SURE = {
    "gearbox": {"rnd": 0.92, "customer-service": 0.05},
    "noisy": {"customer-service": 0.48, "rnd": 0.31},
    "salary": {"hr": 0.38, "pr": 0.3},
    "sunset": {"none": 0.95, "pr": 0.03},
}


class Toy:
    """Reads one word. What was read is counted in `asked`; whatever is to happen while it reads is `meanwhile`."""

    labels = LABELS
    asked: list[str]

    def __init__(self):
        self.asked, self.meanwhile = [], lambda: None

    def predict(self, said, vectors=None):
        self.asked += [each.text for each in said]
        self.meanwhile()
        return np.array([self._row(each.text) for each in said])

    def words(self, said, label, most=6):
        return [(word, p[label]) for word, p in SURE.items() if word in said.text and label in p][:most]

    def _row(self, text):
        known = next((p for word, p in SURE.items() if word in text), {})
        rest = (1 - sum(known.values())) / (len(LABELS) - len(known))
        return [known.get(label, rest) for label in LABELS]


class Letters:
    """A text's point is which letters it holds."""

    name, size = "letters", 26

    def encode(self, texts):
        letters = "abcdefghijklmnopqrstuvwxyz"
        found = np.array([[each in text.lower() for each in letters] for text in texts], np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1)


@pytest.fixture
def taught_house(house, settings, monkeypatch):
    """Everybody, with a model in force. It gives the model, whose words are `SURE`."""
    settings.LEARNED_ROUTING = True
    thresholds = dict.fromkeys(("customer-service", "pr", "rnd"), 0.6) | {"none": 0.7}
    row = RoutingModel.objects.create(number=1, state="live", encoder=Letters.name, thresholds=thresholds)
    toy = Toy()
    monkeypatch.setattr(reading, "live_model", lambda: (row, toy))
    monkeypatch.setattr("routing.scoring.encoder.encoder", Letters)
    return toy
