# The commands of this project. The README names two of them: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The lock is complete, so that nothing is left to resolve (tests/unit/house/test_lock.py asserts it).
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes

.PHONY: run emulators test check bench chaos lock clean

run: $(VENV)/.installed
	@$(BIN)/python -m local

emulators: $(VENV)/.installed
	@$(BIN)/python -m local --emulators

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest --junitxml=.tests.xml

check: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.installed-bench
	@$(BIN)/python -m bench

chaos: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.chaos.campaign $(ARGS)

lock:
	@.ci/lock

clean:
	rm -rf $(VENV) .data .mypy_cache .pytest_cache .ruff_cache .tests.xml

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

$(VENV)/.installed-bench: $(VENV)/.installed-dev requirements-bench.txt
	@$(INSTALL) -r requirements-bench.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-genai.txt requirements-dev.txt
	@$(INSTALL) -r requirements-genai.txt -r requirements-dev.txt
	@touch $@
