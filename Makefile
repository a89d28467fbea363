# Huodang 活档. `make help` is the map of what one can do.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Cores to run tests on; 2 is what the project is measured for.
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-services check format lock benchmarks clean

help: ## Show this map
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(VENV)/.base ## Build .venv with what the product needs

setup-dev: $(VENV)/.dev ## Build .venv with what tests and checks need, too

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "需要 Python 3.11 或更高版本 / Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "无法建立虚拟环境；Debian 上请先安装 python3-venv / cannot make a virtual environment; on Debian install python3-venv" >&2; exit 1; }

$(VENV)/.base: requirements.lock pyproject.toml | $(BIN)/python
	@echo "正在安装运行所需的软件包 / installing what the product needs …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.base
	@echo "正在安装测试所需的软件包 / installing what the tests need …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.services: requirements-services.lock $(VENV)/.dev
	@echo "正在安装服务测试所需的软件包 / installing what the service tests need (Spark) …"
	@$(PIP) install --require-hashes -r requirements-services.lock
	@touch $@

demo: setup ## Run the main job on a synthetic province, then serve its pages
	@$(BIN)/huodang demo $(DEMO)

test: setup-dev check ## Check and test everything that needs no server
	@$(BIN)/python -m pytest -n $(JOBS) -m "not postgresql and not mariadb and not browser and not spark"

test-services: setup-dev $(VENV)/.services ## Test against PostgreSQL, MariaDB, Chromium and Spark (skips what is absent)
	@$(BIN)/python -m pytest -n $(JOBS) -m "postgresql or mariadb or browser or spark" -rs

check: setup-dev ## Lint, types and the order of the rooms
	@$(BIN)/ruff check src tests benchmarks
	@$(BIN)/ruff format --check src tests benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: setup-dev ## Format the code and mend what a linter can mend
	@$(BIN)/ruff check --fix src tests benchmarks
	@$(BIN)/ruff format src tests benchmarks

lock: ## Resolve the dependencies anew into the lock files (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	  --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	  --custom-compile-command "make lock" --constraint requirements.lock --group dev pyproject.toml --output-file requirements-dev.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	  --custom-compile-command "make lock" --constraint requirements-dev.lock --extra spark pyproject.toml --output-file requirements-services.lock

benchmarks: setup-dev ## Measure and write benchmarks/RESULTS.md (minutes; installs the measured peers)
	@$(BIN)/python -m benchmarks $(BENCH)

clean: ## Remove the virtual environment and what runs left behind
	@rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis
