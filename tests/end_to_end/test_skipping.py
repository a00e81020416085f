"""What can not be played on a machine is skipped with its reason, which is no failure; what goes wrong is one."""

import json
import sys

import pytest

from tests.end_to_end import __main__ as program
from tests.end_to_end import bluesky
from tests.end_to_end.told import Skipped


def played(monkeypatch, capsys, act):
    monkeypatch.setattr(program, "ACTS", {"act": act})
    monkeypatch.setattr(sys, "argv", ["end_to_end"])
    code = program.main()
    return code, json.loads(capsys.readouterr().out)["act"]


def test_without_node_there_is_no_bluesky_and_that_is_said(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    code, report = played(monkeypatch, capsys, lambda folder, say: bluesky.install(say))
    assert (code, report["outcome"], report["why"]) == (0, "skipped", "this needs Node.js with npm")


def test_packages_that_can_not_be_had_are_a_reason_too(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "bin").mkdir()
    for name, said in (("node", "echo v22.1.0"), ("npm", "echo 'npm error network: nobody answers' >&2; exit 1")):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{said}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    with pytest.raises(Skipped, match="npm ci failed: npm error network: nobody answers"):
        bluesky.install(lambda words: None)


def test_an_act_that_goes_wrong_fails(monkeypatch, capsys):
    def wrong(folder, say):
        raise AssertionError("It stands there twice.")

    code, report = played(monkeypatch, capsys, wrong)
    assert (code, report["outcome"], report["why"]) == (1, "failed", "AssertionError: It stands there twice.")
