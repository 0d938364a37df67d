# `make serve` and `make test` are all that is needed; each sets up what is missing and then starts in seconds.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
LOCKS := $(wildcard requirements/*.lock)
COMPILE := $(VENV)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' $(UPGRADE)

.PHONY: help serve screenshots reader embedder test test-slow test-all test-offline lint format lock

help:  ## what one can make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(VENV)/.runtime  ## set up, then the page; ARGS="--port 8000" goes to `assistant serve`
	@$(RUN) assistant serve $(ARGS)

test: $(VENV)/.dev  ## the fast tests (under a minute)
	$(RUN) pytest -n auto --maxprocesses 4 $(ARGS)

test-slow: $(VENV)/.dev  ## the slow tests and those in a browser; one that fails is tried once more, and counted as rerun
	$(RUN) pytest -m 'slow or browser' --reruns 1 $(ARGS)

test-all: test test-slow  ## all tests

test-offline: $(VENV)/.dev  ## the fast tests without a network, in a hostile environment (Linux)
	$(VENV)/bin/python scripts/without_network.py $(RUN) pytest -n auto --maxprocesses 4 $(ARGS)

lint: $(VENV)/.dev  ## ruff and mypy, as CI runs them
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

screenshots: $(VENV)/.dev  ## the states of the page, light, dark and on a phone, into docs/screenshots (needs chromium)
	$(RUN) playwright --version >/dev/null && $(VENV)/bin/python scripts/screenshots.py $(ARGS)

reader:  ## train the bundled reader anew: make reader DATA=FOLDER MINUTES=180 (training/README.md says what FOLDER holds)
	@test -n "$(DATA)" || { echo '请指明数据文件夹：make reader DATA=文件夹。 Name the data: make reader DATA=FOLDER.'; exit 1; }
	test -x .venv-train/bin/python || { $(PYTHON) -m venv .venv-train && .venv-train/bin/pip install -r training/requirements.txt; }
	.venv-train/bin/python -m training all $(DATA) --minutes $(or $(MINUTES),180)

embedder:  ## make the bundled embedder anew: make embedder DATA=FOLDER
	@test -n "$(DATA)" || { echo '请指明数据文件夹：make embedder DATA=文件夹。 Name the data: make embedder DATA=FOLDER.'; exit 1; }
	test -x .venv-train/bin/python || { $(PYTHON) -m venv .venv-train && .venv-train/bin/pip install -r training/requirements.txt; }
	.venv-train/bin/python -m training.embedder $(DATA)

format: $(VENV)/.dev  ## put the code into its form
	$(RUN) ruff check --fix-only --quiet .
	$(RUN) ruff format .

lock: $(VENV)/.dev  ## pin everything anew within the ranges of pyproject.toml; UPGRADE=--upgrade for the newest
	$(COMPILE) pyproject.toml requirements/setup.in --output-file requirements/runtime.lock
	$(COMPILE) pyproject.toml requirements/setup.in --extra dev --constraint requirements/runtime.lock \
		--output-file requirements/dev.lock
	$(COMPILE) requirements/setup.in --constraint requirements/runtime.lock --output-file requirements/setup.lock
	$(COMPILE) requirements/build.in --output-file requirements/build.lock

SET_UP := @command -v $(PYTHON) >/dev/null || { \
	echo '找不到 $(PYTHON)。 There is no $(PYTHON): install Python 3.11 or newer, or name it: make serve PYTHON=python3.12.'; \
	exit 1; }; $(PYTHON) scripts/set_up.py

$(VENV)/.runtime: $(LOCKS) pyproject.toml scripts/set_up.py
	$(SET_UP)
	@touch $@

$(VENV)/.dev: $(LOCKS) pyproject.toml scripts/set_up.py
	$(SET_UP) --dev
	@touch $(VENV)/.runtime $@
