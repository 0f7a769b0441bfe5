# Every target makes the project's own environment (.venv) by itself when it is missing or out of date.

PYTHON ?= python3
PIP_ARGS ?=
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help setup demo check test soak parity eval bench train docs format clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## +/|/' | awk -F'|' '{printf "make %-8s %s\n", $$1, $$2}'

setup: $(READY)  ## make .venv with the pinned packages (torch for the processor only)
	@echo '.venv is ready'

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; install Python 3.11 or later, or name one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old; wanted 3.11 or later: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo 'Setting up .venv; the first time takes a few minutes'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev]' \
	  || { echo "The packages could not be installed. If pip says that torch wants triton, only builds for an accelerator were found: see 'The processor build of torch' in CONTRIBUTING.md" >&2; exit 1; }
	@$(BIN)/python -c 'import sys, torch; sys.exit(torch.version.cuda or torch.version.hip)' \
	  || { echo "torch here is a build for an accelerator; remove .venv and see 'The processor build of torch' in CONTRIBUTING.md" >&2; exit 1; }
	@touch $@

demo: $(READY)  ## answer questions about the pictures in examples/ and compare with the truth
	@$(BIN)/python -m bench.demo

check: $(READY)  ## format, lint, types, floors and the fast tests: what every change must pass
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto -m "not slow and not soak"

test: $(READY)  ## all tests, the slow ones too, but for those of `make soak`
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto -m "not soak"

soak: $(READY)  ## long searches for faults: schedules, schemas, hostile inputs, the page, kills, memory beside plans
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto -m soak

parity: $(READY)  ## differences from independent implementations -> docs/results/parity.json
	@$(BIN)/python -m bench.parity

eval: $(READY)  ## quality of omma-nano on the committed test sets -> docs/results/eval.json
	@$(BIN)/python -m bench.eval

bench: $(READY)  ## speed and memory against peers -> docs/results/bench.json
	@$(BIN)/python -m bench.speed

train: $(READY)  ## train omma-nano; a run that was stopped goes on
	for stage in see learn drill grow answer again; do \
	  nice -n 10 $(BIN)/omma train recipes/nano/school.py:$$stage --out runs/nano/second-$$stage || exit; \
	done

docs: $(READY)  ## fill docs/cli.md, README.md and the result pages from real runs
	@$(BIN)/python -m bench.docs

format: $(READY)  ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what was made: .venv, caches, drawn examples (trained runs in runs/ stay)
	rm -rf .venv build dist examples/out .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
