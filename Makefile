PY = .venv/bin/python

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /|/' | awk -F'|' '{printf "  make %-14s %s\n", $$1, $$2}'

lint: ## read the code and the notebooks for mistakes and style
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

format: ## bring code and notebooks into one style
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

.PHONY: help lint format
