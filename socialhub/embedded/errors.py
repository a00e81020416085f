"""What stops a start, said in one sentence that tells what to do."""


class CanNotStart(Exception):
    """The message is the sentence that a person reads; nothing else is shown."""
