"""`python -m socialhub.embedded` is what `make run` calls."""

from socialhub.embedded.launcher import main

main()
