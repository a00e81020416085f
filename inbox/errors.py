"""Why a verb was refused, in a sentence for the person who asked for it. Nothing was changed."""


class Refused(Exception):
    """What was asked can not be done as things stand now."""

    def __init__(self, sentence: str):
        self.sentence = sentence
        super().__init__(sentence)


class SomethingNewer(Refused):
    """Something came that the writer had not seen. `newer` lists it, oldest first: messages and replies."""

    def __init__(self, sentence: str, newer: list):
        super().__init__(sentence)
        self.newer = newer
