"""What the processes have said: one file each, kept small."""

from pathlib import Path

LONGEST = 10 * 1024 * 1024
KEPT = 1024 * 1024


def trim(log: Path) -> None:
    """Keep the end of a log that has grown long. Its writer appends, and so goes on after what was kept."""
    if not log.exists() or log.stat().st_size <= LONGEST:
        return
    with log.open("rb+") as file:
        file.seek(-KEPT, 2)
        file.readline()
        end = file.read()
        file.seek(0)
        file.truncate()
        file.write(end)


def last_line(log: Path) -> str:
    """The last thing that was said in this log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            return last_words(file.read().decode(errors="replace"))
    except OSError:
        return "nothing"


def last_words(text: str) -> str:
    """The last line of a text that is not empty."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing")
