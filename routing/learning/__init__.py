"""What people teach, and what is made of it.

    harvest     from the inbox's own rows: hand-offs, placings, confirmations, replies ──► Correction
    refit       corrections, examples, descriptions, seeds ──► a candidate, held to the live one
    live_model  the model in force, made ready once in each process

Rows are the queue: `harvest` reads what was done since it last did, and `due` finds from rows whether it is time to
learn. The inbox does not know that anybody learns.
"""

import os

from routing.learning.harvesting import harvest
from routing.learning.live import live_model, thresholds_of

__all__ = ["harvest", "live_model", "refit", "thresholds_of"]


def refit(why: str = ""):
    """Train a candidate (routing/learning/fitting.py). What trains is imported only by the process that does it."""
    # Read when numpy is: with several threads the encoder is many times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from routing.learning import fitting

    return fitting.refit(why)
