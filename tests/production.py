"""`python -m tests.production`: Django's deployment checks on the settings of a public house. No warning passes."""

import os
import subprocess
import sys
import tempfile

PUBLIC = {
    "DEMO": "0",
    "DEBUG": "0",
    "HTTPS": "1",
    "HOSTS": "hub.example.com",
    "SECRET_KEY": "not the one of any installation, but as long and as mixed as one: 0123456789 abcdefghij",
}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            env=os.environ | PUBLIC | {"DATA_DIR": folder},
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
