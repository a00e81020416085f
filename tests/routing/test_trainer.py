"""Training happens in a process of its own, one at a time, when rows say that it is due."""

import pytest

from routing.models import RoutingModel
from socialhub import pipeline, trainer

pytestmark = pytest.mark.django_db


class Process:
    """A process that somebody began; it ends when the test says so."""

    begun: list[list[str]] = []
    code: int | None = None

    def __init__(self, command, env, **more):
        assert env["OPENBLAS_NUM_THREADS"] == "1"
        Process.begun.append(command)

    def poll(self):
        return Process.code

    def terminate(self):
        Process.code = -15


@pytest.fixture
def at_rest(house, monkeypatch, settings):
    settings.LEARNED_ROUTING = True
    monkeypatch.setattr(trainer.subprocess, "Popen", Process)
    monkeypatch.setattr(trainer, "_process", None)
    monkeypatch.setattr(trainer, "_begun", float("-inf"))
    monkeypatch.setattr(Process, "begun", [])
    monkeypatch.setattr(Process, "code", None)


def test_the_worker_has_one_model_trained_and_tries_a_failed_one_again_later(at_rest, monkeypatch, caplog):
    for _ in range(2):
        pipeline.learn()
    ((*_, why),) = Process.begun
    assert why == "The first model, from the seed posts"
    assert Process.begun[0][1].endswith("manage.py") and Process.begun[0][2] == "train_routing"
    Process.code = 1
    pipeline.learn()
    assert len(Process.begun) == 1 and "No model could be trained" in caplog.text
    monkeypatch.setattr(trainer, "_begun", float("-inf"))
    pipeline.learn()
    assert len(Process.begun) == 2
    Process.code = None
    trainer.stop()
    assert Process.code == -15


def test_nothing_is_trained_where_nothing_is_due_or_nobody_wants_it(at_rest, settings):
    settings.LEARNED_ROUTING = False
    pipeline.learn()
    settings.LEARNED_ROUTING = True
    RoutingModel.objects.create(number=1, state="live", artefact=b"", sha256="")
    pipeline.learn()
    assert Process.begun == []
