"""An encoder that reads nothing twice: what was encoded when a message was scored is used again when it teaches."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F

from routing.models import Embedding
from routing.scoring.plain import sentence

if TYPE_CHECKING:
    import numpy as np

    from routing.scoring.encoder import TextEncoder


class Remembering:
    """The encoder, and what it is known to say of these texts. A `TextEncoder` like the one inside."""

    def __init__(self, encoder: "TextEncoder", known: "dict[str, np.ndarray]"):
        self.encoder, self.known = encoder, known
        self.name, self.size = encoder.name, encoder.size

    def encode(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        texts = [sentence(text) for text in texts]
        new = list({text for text in texts if text not in self.known})
        if new:
            self.known.update(zip(new, self.encoder.encode(new), strict=True))
        if not texts:
            return np.empty((0, self.size), dtype=np.float32)
        return np.stack([self.known[text] for text in texts]).astype(np.float32)


def remembering(texts: Iterable[tuple[UUID, str]]) -> Remembering | None:
    """The house's encoder, knowing what was kept of these messages' texts; None where there is no encoder."""
    from routing.scoring.encoder import encoder

    if (found := encoder()) is None:
        return None
    return Remembering(found, _kept(dict(texts), found.name))


def _kept(texts: dict[UUID, str], encoder: str) -> "dict[str, np.ndarray]":
    import numpy as np

    # What encoders read is not quite what was said.
    now = Embedding.objects.filter(message__among=texts, encoder=encoder, revision=F("message__revision"))
    return {
        sentence(texts[pk]): np.frombuffer(bytes(vector), dtype=np.float16).astype(np.float32)
        for pk, vector in now.values_list("message", "vector")
    }
