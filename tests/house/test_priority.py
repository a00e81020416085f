"""Batches step back behind people."""

import os
import subprocess
import sys

import pytest

from socialhub.embedded.places import ROOT

TELL = """
import os, django
django.setup()
from django.db import connection
from socialhub import priority
priority.step_back(7)
connection.ensure_connection()
print(os.nice(0), os.getpriority(os.PRIO_PROCESS, connection.connection.get_backend_pid()))
"""


@pytest.mark.django_db
def test_a_batch_and_its_share_of_the_database_leave_the_first_turn_to_people():
    surroundings = os.environ | {"DJANGO_SETTINGS_MODULE": "socialhub.settings"}
    told = subprocess.run([sys.executable, "-c", TELL], cwd=ROOT, env=surroundings, capture_output=True, text=True)
    assert told.stdout.split() == ["7", "7"], told.stderr
