# Everything a developer needs, by one word each. All of it happens inside $(VENV); nothing else is touched.
#
#   make run     create the environment, development keys and users, and serve every example (Ctrl-C stops)
#   make test    everything the project checks by running, in two processes (JOBS=1 for one)
#   make lint    style, types, import contracts
#   make bench   what a request costs, beside its floor
#   make fuzz    MINUTES=30: changed messages through the whole provider, guided by coverage
#   make lock    renew requirements/*.txt from pyproject.toml
#   make clean   remove environments and caches (never keys/)

PYTHON ?= python3
VENV ?= .venv
HTTP_PORT ?= 8080
HTTPS_PORT ?= 8443
WORKERS ?=
JOBS ?= 2
export HTTP_PORT HTTPS_PORT WORKERS

.DEFAULT_GOAL := help
.PHONY: help run test bench fuzz lint lock clean

# An environment is as old as the locks it was made from: its stamp carries their hash and Python's version.
lock_hash = $(shell { $(PYTHON) -V; cat requirements/build.txt $(1); } 2>&1 | sha256sum | cut -c 1-16)
RUN_STAMP := $(VENV)/.run-$(call lock_hash,requirements/run.txt)
TEST_STAMP := $(VENV)/.test-$(call lock_hash,requirements/test.txt)
FUZZ_STAMP := $(VENV)/.fuzz-$(call lock_hash,requirements/fuzz.txt)
KERBEROS_STAMP := $(VENV)/.kerberos-$(call lock_hash,requirements/kerberos-build.txt requirements/kerberos.txt)
IN_VENV := $(VENV)/bin/python

# Spyne is published as source only: its build uses the pinned tools of build.txt, not whatever is newest.
install = $(IN_VENV) -m pip install --quiet --disable-pip-version-check --require-hashes --use-pep517

help:
	@sed -n 's/^#   //p' Makefile

$(IN_VENV):
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh requirements/make-venv

$(RUN_STAMP): | $(IN_VENV)
	@echo "Installing what wsprovider needs into $(VENV) (once) ..."
	@$(install) -r requirements/build.txt
	@$(install) --no-build-isolation -r requirements/run.txt
	@rm -f $(VENV)/.run-* && touch $@

$(TEST_STAMP): $(RUN_STAMP)
	@echo "Installing the tools of the tests into $(VENV) (once) ..."
	@$(install) --no-build-isolation -r requirements/test.txt
	@rm -f $(VENV)/.test-* && touch $@

# Left out, with a word about it, where Debian's headers of Kerberos are not installed.
add_kerberos = VENV="$(VENV)" STAMP="$(KERBEROS_STAMP)" INSTALL="$(install)" sh requirements/add-kerberos

run: $(RUN_STAMP)
	@$(add_kerberos)
	@$(IN_VENV) -m wsprovider serve

test: $(TEST_STAMP)
	@$(add_kerberos)
	@$(IN_VENV) -m pytest -q -n $(JOBS) --dist loadscope $(ARGS)

bench: $(TEST_STAMP)
	@$(IN_VENV) -m benchmarks $(ARGS)

$(FUZZ_STAMP): $(TEST_STAMP)
	@$(install) --no-build-isolation -r requirements/fuzz.txt
	@rm -f $(VENV)/.fuzz-* && touch $@

MINUTES ?= 1
fuzz: $(FUZZ_STAMP)
	@$(IN_VENV) -m tests.fuzz --minutes $(MINUTES) $(ARGS)

lint: $(TEST_STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

# uv resolves for all supported Pythons at once; it lives in an environment of its own.
UV := $(VENV)-lock/bin/uv
compile = $(UV) pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" $(UPGRADE)

$(UV):
	@PYTHON="$(PYTHON)" VENV="$(VENV)-lock" sh requirements/make-venv
	@$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check uv

# make lock UPGRADE=--upgrade takes the newest versions; without it only what pyproject.toml changed moves.
lock: $(UV)
	$(compile) requirements/build.in -o requirements/build.txt
	$(compile) pyproject.toml --extra crosscheck --extra redis --extra sql -c requirements/build.txt -o requirements/run.txt
	$(compile) pyproject.toml --extra test -c requirements/run.txt -o requirements/test.txt
	$(compile) requirements/kerberos-build.in -c requirements/build.txt -o requirements/kerberos-build.txt
	$(compile) pyproject.toml --extra kerberos -c requirements/test.txt -o requirements/kerberos.txt
	$(compile) pyproject.toml --extra fuzz -c requirements/test.txt -o requirements/fuzz.txt

clean:
	rm -rf $(VENV) $(VENV)-lock build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
