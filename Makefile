# What a person types. Everything is installed into .venv/; a second run installs nothing.
#   make run [PORT=8001] [DATA_DIR=folder] [DEMO=0]     make test     make lint
#   make torture [POSTS=2000] [FAULTS=40] [SEED=1]
#   make bench [SCALES=10k,100k] [ONLY=name,name] [ROUNDS=5]
#   make end-to-end [ONLY=bluesky|wordpress]
.PHONY: run test test-servers lint torture bench end-to-end
.DEFAULT_GOAL := run

run:
	@.ci/install requirements.txt
	@exec .venv/bin/python -m socialhub.embedded

# The browser's driver keeps an event loop running in its process, which tests of async code can not stand beside them.
test: lint
	@.venv/bin/python -m pytest -n 2 --dist loadgroup --ignore=tests/browser
	@CHROMIUM="$$(.venv/bin/python -m tests.chromium)" .venv/bin/python -m pytest -n 2 tests/browser

# The same against PostgreSQL and Redis of the system; as root it installs them when they are missing.
test-servers:
	@.ci/install requirements-dev.txt
	@CHROMIUM="$$(.venv/bin/python -m tests.chromium)" .venv/bin/python -m tests.own_servers

lint:
	@.ci/install requirements-dev.txt
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m mypy
	@.venv/bin/python -m tests.production

# Exit code 1 when anything is lost, doubled, or did not come to rest; the last line is the report.
POSTS ?= 2000
FAULTS ?= 40
SEED ?= 1
torture:
	@.ci/install requirements-dev.txt
	@.venv/bin/python -m tests.torture --posts $(POSTS) --faults $(FAULTS) --seed $(SEED)

bench:
	@.ci/install requirements-dev.txt
	@.venv/bin/python -m tests.bench

# With a Bluesky network and a WordPress of their own on this machine; says what it skipped, and why.
end-to-end:
	@.ci/install requirements-dev.txt
	@.venv/bin/python -m tests.end_to_end $(if $(ONLY),--only $(ONLY))
