# Everything a developer or a curious visitor types. `make help` lists it.
# .venv holds the core alone, as a user has it; .venv-dev holds all extras and the developers' tools.

PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# A stamp is named by what pyproject.toml says, so an environment is renewed exactly when that changes.
STAMP := $(shell cksum < pyproject.toml | cut -d' ' -f1)
CORE := .venv/installed-$(STAMP)
DEV := .venv-dev/installed-$(STAMP)
BIN := .venv-dev/bin
PIP := -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test lint format types contracts docs screenshots bench clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1	\2/' | expand -t 18

demo: $(CORE) ## from 1,797 pictures of digits to a proven model (installs the core into .venv)
	@rm -rf .demo && mkdir .demo
	@.venv/bin/python -c 'from pathlib import Path; from winnow.data.digits import write_digits; write_digits(Path(".demo/digits"))'
	@export WINNOW_WORKSPACE=.demo/workspace PATH="$$PWD/.venv/bin:$$PATH"; \
	say() { printf '\n$$ %s\n' "$$*"; "$$@"; }; \
	say winnow train .demo/digits --name digits; \
	say winnow predict digits .demo/digits/7/0007.png

test: $(DEV) ## run the whole test suite (installs all extras into .venv-dev)
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

lint: $(DEV) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV) ## mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV) ## check types (pyright, strict on src/)
	$(BIN)/pyright --pythonpath $(BIN)/python

contracts: $(DEV) ## check that arrows between rooms point down
	$(BIN)/lint-imports

docs: $(DEV) ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build
	@echo "docs/_build/index.html"

screenshots: $(DEV) ## photograph every page of the studio, at two widths and in two themes, into docs/screenshots
	$(BIN)/python docs/photograph.py docs/screenshots

bench: $(DEV) ## check every promise of speed and accuracy in bench/ (takes minutes; wants a quiet machine)
	@broken=0; for name in door features climb accuracy data edits near_duplicates health backbone batches engine finetune cifar lenet serve predict_files studio studies; do \
		echo "== bench/$$name.py"; $(BIN)/python "bench/$$name.py" || broken=1; \
	done; exit $$broken

clean: ## remove environments, the demo and everything built
	rm -rf .venv .venv-dev .demo dist build docs/_build .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(CORE):
	@$(call environment,.venv)
	@echo "Installing the core of Winnow into .venv ..."
	@.venv/bin/python $(PIP) -e .
	@rm -f .venv/installed-* && touch $@

$(DEV):
	@$(call environment,.venv-dev)
	@echo "Installing Winnow with all extras and the developers' tools into .venv-dev (several GB) ..."
	@.venv-dev/bin/python $(PIP) -e '.[dev,deep]'
	@$(browser)
	@rm -f .venv-dev/installed-* && touch $@

# The studio and exported web pages are tested in Debian's Chromium, their accessibility with axe-core, such a page's
# model with onnxruntime-web; without these the tests are skipped.
define browser
	command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& { apt-get update -qq; apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1; } \
		|| echo "No Chromium: tests in a browser will be skipped (apt install chromium)."; \
	{ command -v npm && npm install --prefix .venv-dev/npm --no-audit --no-fund axe-core@4.14 onnxruntime-web@1.30; } >/dev/null 2>&1 \
		|| echo "No axe-core, no onnxruntime-web: tests that need them will be skipped (they need npm)."
endef

# Make the environment $(1) unless it is there; say what to do where Python is too old or has no venv.
define environment
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Winnow needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }; \
	[ -x $(1)/bin/python ] || $(PYTHON) -m venv $(1) || \
		{ echo "$(PYTHON) cannot make an environment. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
endef
