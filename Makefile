# The commands of the course; `make` alone lists them. What they do is in tests/tools/.

# The Python that makes .venv. Name another one with: make setup PYTHON=python3.12
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	>/dev/null 2>&1 && echo $$p && exit; done; echo python3)
endif
PY = .venv/bin/python
WORKERS ?= 2

help: ## show this list
	@echo "The two commands: make lab, make test. All of them:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'

setup: ## make the environment .venv, or renew it after a change of the lock
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "There is no $(PYTHON) here. Install Python 3.11, 3.12 or 3.13 first (python.org)."; exit 1; }
	@$(PYTHON) tests/tools/make_venv.py

lab: setup ## open the course in JupyterLab
	@$(PY) tests/tools/open_lab.py $(LABARGS)

test: setup ## run every test and every notebook
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile

test-classroom: setup ## test the grader: hostile submissions, typical mistakes, a class of 100
	@CLASSROOM=all $(PY) -m pytest -n $(WORKERS) --dist loadfile tests/classroom

test-strict: setup ## compare every stored output, with one BLAS thread and with two
	@COURSE_THREADS=1 $(PY) tests/tools/strict.py -n $(WORKERS)
	@COURSE_THREADS=2 $(PY) tests/tools/strict.py # one after the other: each takes both cores

check: setup ## test the set-up in five seconds
	@$(PY) -m course_utils.environment

lint: setup ## look for mistakes and style in code and notebooks
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

format: setup ## bring code and notebooks into one style
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

outputs: setup ## execute the notebooks in place; one of them: make outputs NB=03
	@$(PY) tests/tools/make_outputs.py $(NB)

bench: setup ## measure the fast twins; first look: QUICK=--quick; PyTorch too: TORCH=its-python
	@$(PY) tests/tools/bench.py $(QUICK) $(if $(TORCH),--torch $(TORCH))

release: setup ## write the bundle for students; one of them: make release ASSIGNMENT=a2_lstm
	@$(PY) -m course_utils.classroom release $(ASSIGNMENT)

grade: setup ## grade: make grade SUBMISSIONS=folder-or-zip ASSIGNMENT=a2_lstm [OUT=folder]
	@$(PY) -m course_utils.classroom grade "$(SUBMISSIONS)" "$(ASSIGNMENT)" \
		$(if $(OUT),--out "$(OUT)") $(GRADEARGS)

slide-map: setup ## write the slide map in notebooks/README.md from the tags
	@$(PY) tests/tools/slide_map.py

lock: setup ## renew requirements.lock from pyproject.toml; all newest: make lock UPGRADE=--upgrade
	@$(PY) tests/tools/make_lock.py $(UPGRADE)

clean: ## remove .venv and everything that the commands made
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find . -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

.PHONY: help setup lab test test-classroom test-strict check lint format outputs bench release grade slide-map lock clean
