# The commands of this project. The README names three: `make run`, `make test` and `make quick`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Of its own, so that what we are compared with is never installed beside what we ship.
BENCH := .venv-bench
# The lock is complete, so that nothing is left to resolve (tests/unit/house/test_lock.py asserts it).
PIP := -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
INSTALL := $(BIN)/python $(PIP)

.PHONY: run emulators test quick check bench chaos lock clean

run: $(VENV)/.installed
	@$(BIN)/python -m local

emulators: $(VENV)/.installed
	@$(BIN)/python -m local --emulators

test: $(VENV)/.installed-dev $(VENV)/.installed-frontend
	@$(BIN)/python -m tests

# For every save: starts no Java, no browser and no pipeline.
quick: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/unit tests/http $(ARGS)

check: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(BENCH)/.installed
	@$(BENCH)/bin/python -m bench $(ARGS)

chaos: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.chaos.campaign $(ARGS)

lock:
	@.ci/lock

clean:
	rm -rf $(VENV) $(BENCH) .data .mypy_cache .pytest_cache .ruff_cache .tests*.xml

# A file of its own says that it is whole: bin/python is there long before pip is.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed; choose one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@echo "Setting up $(VENV) (once, under a minute) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.txt
	@$(INSTALL) -r requirements.txt
	@touch $@

$(BENCH)/.installed: requirements.txt requirements-bench.txt
	@echo "Setting up $(BENCH) (once, about a minute) ..."
	@$(PYTHON) -m venv --clear $(BENCH)
	@$(BENCH)/bin/python $(PIP) -r requirements.txt -r requirements-bench.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-genai.txt requirements-dev.txt
	@$(INSTALL) -r requirements-genai.txt -r requirements-dev.txt
	@touch $@

# React, Vite and TypeScript for tests/frontend. Its tests say so where npm is missing, and fail in CI.
$(VENV)/.installed-frontend: $(VENV)/.made tests/frontend/package-lock.json
	@mkdir -p $(VENV)/frontend
	@cp tests/frontend/package.json tests/frontend/package-lock.json $(VENV)/frontend
	@if (cd $(VENV)/frontend && npm ci --silent --no-audit --no-fund); then touch $@; fi
