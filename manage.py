#!/usr/bin/env python
"""Django's commands, with the servers of this installation: found when they run, else started meanwhile."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from socialhub.embedded import servers
    from socialhub.embedded.errors import CanNotStart

    try:
        from socialhub.settings import PLACES

        with servers.for_command(sys.argv, PLACES):
            execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, CanNotStart) as error:
        if "--traceback" in sys.argv:
            raise
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
