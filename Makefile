# What people type. A fresh machine needs Python 3.11 and make; everything else is brought by the first call.
#
#   make demo    a made-up district with its people, desks and phones
#   make test    everything we promise, checked
#   make check   format, lint, types, contracts between the parts, generated files
#   make bench   the measurements, by hand on a quiet machine; ends with the table of all planning engines
#   make fix     what a tool can mend by itself
#   make lock    resolve the requirements anew (maintainers)
#   make web     build the pages
#   make clean   remove what was installed and built; data in ./var stays

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
JOBS ?= 2
# What a stamp stands for: the requirements as they are written now, not when somebody touched them.
RUNTIME := $(VENV)/.runtime-$(shell cat requirements/build.txt requirements/runtime.txt requirements/runtime.in pyproject.toml | cksum | cut -d' ' -f1)
DEV := $(VENV)/.dev-$(shell cat requirements/dev.txt requirements/runtime.txt | cksum | cut -d' ' -f1)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-python test-web check bench fix lock web install dev clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

demo: install web
	$(BIN)/muster demo $(DEMO)

install: $(RUNTIME)

dev: $(RUNTIME) $(DEV)

$(RUNTIME):
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 is missing; install it, or say PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "make: Muster needs Python 3.11 or newer, not $$("$(PYTHON)" -V); say PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(PY) || "$(PYTHON)" -m venv $(VENV) \
		|| { echo "make: no virtual environment could be made; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "make: installing Muster into $(VENV) (about 300 MB come down the first time)"
	$(PY) -m pip install --quiet --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.runtime-* && touch $@

$(DEV): $(RUNTIME)
	@echo "make: installing the tools of tests and checks"
	$(PY) -m pip install --quiet --require-hashes -r requirements/dev.txt
	@rm -f $(VENV)/.dev-* && touch $@

# The builder keeps its own stamp: a hash over what each app is built from.
web: install
	$(PY) tools/build_pages.py

test: test-python test-web

test-python: dev web
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(PYTEST)

test-web: dev web
	$(PY) tools/build_pages.py --npm run test -- $(VITEST)

check: dev web
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --no-incremental
	$(BIN)/lint-imports
	$(PY) tools/generate.py --check
	$(PY) tools/openapi.py --check
	$(PY) tools/check_tree.py
	DJANGO_SETTINGS_MODULE=muster.config.settings $(PY) -m django makemigrations --check --dry-run
	$(PY) tools/build_pages.py --npm run types
	$(PY) tools/build_pages.py --npm run lint

fix: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(PY) tools/generate.py
	$(PY) tools/openapi.py

bench: dev
	@echo "make: each benchmark writes its figures beside itself, with machine and seed; let the machine be quiet"
	$(PY) -m benchmarks.intake
	$(PY) -m benchmarks.intake.folding
	$(PY) -m benchmarks.intake.folding --postgres
	$(PY) -m benchmarks.desk_while_folding
	$(PY) -m benchmarks.planning $(BENCH)

# uv writes no index address into the files; hashes are of every wheel, so that one lock serves every platform.
lock:
	@test -x $(PY) || "$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" requirements/build.in -o requirements/build.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" requirements/runtime.in -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" requirements/dev.in -o requirements/dev.txt

clean:
	-test ! -x $(PY) || $(PY) tools/build_pages.py --clean
	rm -rf $(VENV)
