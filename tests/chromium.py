"""The browser of the tests: the system's Chromium, else what apt or Playwright can install.

`python -m tests.chromium` prints where it is. Without one it says which tests are left out, and prints nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Nothing that asks the network, or memory that a container does not have; and no sandbox, which root can not have.
ARGUMENTS = (
    "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-dev-shm-usage"
).split() + ["--no-sandbox"] * (os.geteuid() == 0)
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> str:
    """The path of a Chromium that is there already, or an empty string."""
    given = os.environ.get("CHROMIUM", "")
    return given or next(filter(None, map(shutil.which, NAMES)), "") or _of_playwright()


def _of_playwright() -> str:
    kept = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = [*kept.glob("chromium-*/chrome-linux*/chrome"), *kept.glob("chromium_headless_shell-*/*/headless_shell")]
    return str(max(found)) if found else ""


def install() -> None:
    """Bring one: by apt when we are root and there is apt, else by Playwright's own installer."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the browser tests by apt", file=sys.stderr)
        _try("apt-get", "update", "-q")
        _try("apt-get", "install", "-qy", "--no-install-recommends", "chromium")
    if not find():
        print("Installing Chromium for the browser tests by Playwright", file=sys.stderr)
        _try(sys.executable, "-m", "playwright", "install", "chromium")


def _try(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment, check=False)


def starts(browser: str) -> bool:
    """Whether this browser can run here: a downloaded one may miss libraries of the system."""
    return bool(browser) and subprocess.run([browser, "--version"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    if not find():
        install()
    if starts(find()):
        print(find())
    else:
        print("No Chromium is here, and none can be installed: tests in a browser are left out.", file=sys.stderr)
