# Two commands: `make study` (raw files to report) and `make test`.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready-$(shell cksum requirements.lock | cut -d' ' -f1)
# An empty value lets Python keep compiled modules, without which every job starts seconds later.
export PYTHONDONTWRITEBYTECODE :=
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: study test check lock clean

study: $(READY)
	@$(VENV)/bin/snakemake --cores all
	@echo "The report is at $(CURDIR)/reports/report.html"

test: $(READY)
	@$(VENV)/bin/python -m pytest

check: $(READY)
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/snakefmt --check Snakefile workflow && $(VENV)/bin/snakemake --lint

$(READY): requirements.lock
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "bscstudy needs Python 3.11 or newer, and no '$(PYTHON)' was found; install it, or name yours with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "bscstudy needs Python 3.11 or newer, and '$(PYTHON)' is older; name a newer one with PYTHON=..."; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); echo "The environment could not be made: this Python lacks the module venv (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@echo "Installing the packages (about a minute the first time; the log is $(VENV)/install.log)"
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock >$(VENV)/install.log 2>&1 \
	  || { echo "The packages could not be installed: most often there is no network; $(VENV)/install.log ends with the reason."; exit 1; }
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e . >>$(VENV)/install.log 2>&1 \
	  || { echo "bscstudy itself could not be installed; $(VENV)/install.log ends with the reason."; exit 1; }
	@echo "Compiling the model engine for this machine (about a minute, once)"
	@$(VENV)/bin/python -m bscstudy.multilevel.warm_up >>$(VENV)/install.log 2>&1 \
	  || { echo "The model engine could not be compiled; $(VENV)/install.log ends with the reason."; exit 1; }
	@rm -f $(VENV)/ready-* && touch $@

# For developers: exact versions from pyproject.toml (needs uv).
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements.lock
	$(PYTHON) -c 'import sys; sys.path.insert(0, "src"); from bscstudy.environment import write_environment; write_environment()'

clean:
	find data/derived reports -mindepth 1 ! -name README -delete
	rm -rf .snakemake
