"""How an act of the play ended, when it did not end well."""


class Skipped(Exception):
    """It could not be played here: a sentence says why."""
