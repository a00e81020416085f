"""Where this installation keeps its things: data, sockets, pid files, logs."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from socialhub.embedded.errors import CanNotStart

ROOT = Path(__file__).resolve().parents[2]

# sockaddr_un holds 108 bytes with its closing NUL; PostgreSQL adds "/.s.PGSQL.5432" to the folder.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")


@dataclass(frozen=True)
class Places:
    """The folders of one installation. All lie in `data`, but for the sockets when that path is too long for one."""

    data: Path

    def make(self) -> None:
        """Make the data folder, or say in a sentence why it can not be used.

        What root makes on the way to it stays open for `nobody`, whatever the umask says.
        """
        missing = [folder for folder in (self.data, *self.data.parents) if not folder.exists()]
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            for folder in missing if os.geteuid() == 0 else ():
                folder.chmod(0o711)
        except OSError as error:
            raise self.refusal(error.strerror) from None
        if not os.access(self.data, os.W_OK | os.X_OK):
            raise self.refusal("it belongs to somebody else")

    def refusal(self, why: str) -> CanNotStart:
        """The sentence for a data folder that does not serve."""
        return CanNotStart(
            f"The data folder {self.data} can not be used ({why}): choose one that you may write to with DATA_DIR."
        )

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def runtime(self) -> Path:
        """A copy of PostgreSQL's programs, made only when the virtual environment lies where `nobody` may not go."""
        return self.data / "runtime"

    @property
    def sockets(self) -> Path:
        folder = self.data / "run"
        if len(str(folder).encode()) <= LONGEST_SOCKET_FOLDER:
            return folder
        return Path("/tmp") / f"social-hub-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self.logs / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        """Where the number of a running process stands."""
        return self.run / f"{name}.pid"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"


def find(environ=os.environ) -> Places:
    """`DATA_DIR`, else `.data/` in the checkout; but for root below a closed folder `/var/lib/social-hub/…`.

    PostgreSQL refuses to run as root, so root starts it as `nobody`, who must be able to reach the data.
    """
    if given := environ.get("DATA_DIR"):
        return Places(Path(given).resolve())
    if os.geteuid() == 0 and is_closed(ROOT):
        return Places(Path("/var/lib/social-hub") / hashlib.sha256(str(ROOT).encode()).hexdigest()[:12])
    return Places(ROOT / ".data")


def is_closed(folder: Path) -> bool:
    """Whether somebody else than its owner is kept from walking through this folder or one above it."""
    return any(not each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.parents))
