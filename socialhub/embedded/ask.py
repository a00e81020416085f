"""`python -m socialhub.embedded.ask [URL] [SIGN]`: whether the house, or one sign of it, is well. For health checks.

Knows nothing of Django, so that asking every few seconds costs next to nothing. Ends with 0 for yes and 1 for no.
"""

import json
import sys
import urllib.error
import urllib.request

HERE = "http://127.0.0.1:8000/healthz"


def is_well(address: str = HERE, sign: str = "ok") -> bool:
    """Ask for the signs and look at one: `ok` is all of them, others are `database`, `worker`, `beat`, `bell`."""
    # The house answers to its own names alone, and to that of the machine.
    request = urllib.request.Request(address, headers={"Host": "localhost"})
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:
            return bool(json.load(answer).get(sign))
    except urllib.error.HTTPError as error:
        return _sign_in(error, sign)
    except (OSError, ValueError):
        return False


def _sign_in(error: urllib.error.HTTPError, sign: str) -> bool:
    """The house is not well, and one of its parts may be."""
    try:
        return bool(json.load(error).get(sign))
    except (OSError, ValueError, AttributeError):
        return False


if __name__ == "__main__":
    sys.exit(not is_well(*sys.argv[1:3]))
