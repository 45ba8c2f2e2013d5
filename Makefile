# Every target says what it does in `make help`. Only quickstart, test and their parts need this file: the collection itself
# is used with ansible-playbook alone.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The Python with which the virtual environments are made, 3.11 or later.
PYTHON ?= python3
# The other releases of ansible-core on which the collection is tested; .venv holds 2.19.
OTHER_CORES := 2.17 2.18

# Ansible demands a UTF-8 locale, and molecule looks for the other tools in PATH.
export LC_ALL := C.UTF-8
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHON

BIN := .venv/bin
LINK := collections/ansible_collections/openstack_ops/glance
# The tests know the collection by its full name. What runs on a node is tested in a process of its own, as in ansible-test:
# where ansible-core has loaded what runs on the control node, a module's warnings take another way.
NODE_TESTS := tests/unit/plugins/modules tests/unit/plugins/module_utils
# A test that hangs ends its run, with the stacks of all threads.
UNIT_LIMITS := -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true
define run-units
	@PYTHONPATH=collections $(1)/bin/python -m pytest -q $(UNIT_LIMITS) $(NODE_TESTS)
	@PYTHONPATH=collections $(1)/bin/python -m pytest -q $(UNIT_LIMITS) $(addprefix --ignore=,$(NODE_TESTS)) tests/unit
endef
MOLECULE := MOLECULE_GLOB='molecule/*/molecule.yml' $(BIN)/molecule
# What the gate runs; the others are for test-all.
GATE_SCENARIOS := default inputs switch_faults

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile

##### Using it

.PHONY: quickstart
quickstart: venv ## Bring up Glance on real machines in this one, and prove it with an image
	@$(BIN)/ansible-playbook -i molecule/quickstart/inventory molecule/quickstart/quickstart.yml

.PHONY: down
down: venv ## Throw away what quickstart and the scenarios have made
	@[[ ! -x $(BIN)/molecule ]] || $(MOLECULE) destroy --scenario-name default
	@$(BIN)/ansible-playbook -i molecule/quickstart/inventory molecule/quickstart/down.yml

##### The gate

.PHONY: test
test: venv-test ## Run the whole gate: lint, units, parity, sanity, installed, molecule
	@$(BIN)/python tests/tools/gate.py lint units,parity+sanity units-2.17+units-2.18,installed molecule

.PHONY: test-all
test-all: venv-test ## Run the gate and what takes too long for it: sanity on every ansible-core, ansible-test units, all scenarios
	@$(BIN)/python tests/tools/gate.py lint units,parity+sanity units-2.17+units-2.18,installed \
	    sanity-2.17+sanity-2.18 units-isolated,browser+histories molecule-all

LINTERS := ruff yamllint shellcheck tree mypy collection-docs changelog ansible-lint

.PHONY: lint
lint: venv-test ## Check style, types, documentation, changelog, and what must not stand in the tree
	@$(MAKE) --keep-going --jobs=2 --output-sync=target $(addprefix lint-,$(LINTERS))

.PHONY: $(addprefix lint-,$(LINTERS))
lint-ruff:
	@echo "ruff"; $(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
lint-yamllint:
	@echo "yamllint"; $(BIN)/yamllint --strict .
lint-shellcheck:
	@echo "shellcheck"; git ls-files -z --cached --others --exclude-standard --deduplicate '*.sh' .ci/run \
	    | xargs --null $(BIN)/shellcheck
lint-tree:
	@echo "registries, paths and secrets in the tree"; $(BIN)/python tests/tools/check_tree.py
lint-mypy:
	@echo "mypy"; MYPYPATH=collections $(BIN)/mypy --strict --no-error-summary --namespace-packages --explicit-package-bases \
	    -p ansible_collections.openstack_ops.glance.plugins.module_utils
	@$(BIN)/mypy --strict --no-error-summary tests/tools
	@$(BIN)/mypy --strict --no-error-summary tests/bench
lint-collection-docs:
	@echo "antsibull-docs"; $(BIN)/antsibull-docs lint-collection-docs . --plugin-docs --validate-collection-refs self
lint-changelog:
	@echo "antsibull-changelog"; $(BIN)/antsibull-changelog lint
lint-ansible-lint:
	@echo "ansible-lint"; $(BIN)/ansible-lint --profile production --offline --strict --nocolor -q

.PHONY: sanity
sanity: venv-test ## Run ansible-test sanity of ansible-core 2.19
	@$(BIN)/python tests/tools/run_ansible_test.py 2.19 sanity --local

.PHONY: units
units: venv-test apt-test ## Run the unit tests
	$(call run-units,.venv)

.PHONY: parity
parity: venv-test ## Check that defaults, argument specs, templates, documentation and code tell the same
	@PYTHONPATH=collections $(BIN)/python -m pytest -q tests/parity tests/golden

.PHONY: installed
installed: venv-test ## Build and install the collection, and read it with all but its four directories gone
	@tests/tools/installed.sh

.PHONY: molecule
molecule: venv-test ## Run the scenarios default, inputs and switch_faults on real machines
	@$(MOLECULE) destroy --scenario-name default # what an interrupted run left
	@$(MOLECULE) test $(addprefix --scenario-name ,$(GATE_SCENARIOS))

.PHONY: molecule-all
molecule-all: venv-test ## Run every scenario
	@$(MOLECULE) destroy --scenario-name default
	@$(MOLECULE) test --scenario-name default # on virgin nodes
	@$(MOLECULE) test $(patsubst molecule/%/molecule.yml,--scenario-name %,$(filter-out molecule/default/%,$(wildcard molecule/*/molecule.yml)))

.PHONY: scenario
scenario: scenario-named venv-test ## Run one scenario: make scenario SCENARIO=default
	@$(MOLECULE) test --scenario-name "$(SCENARIO)"

.PHONY: units-isolated
units-isolated: venv-test apt-test ## Run ansible-test units: every test in a process of its own
	@$(BIN)/python tests/tools/run_ansible_test.py 2.19 units --local

# How many, each of them another one every time. The gate plays the same few, in the unit tests.
HISTORIES ?= 150

.PHONY: histories
histories: venv-test ## Take lists of images through random histories, kills included: make histories HISTORIES=1000
	@PYTHONPATH=collections HISTORIES='$(HISTORIES)' $(BIN)/python -m pytest -q tests/unit/plugins/modules/test_image_properties.py

.PHONY: browser
browser: venv-test ## Look at the report of a switch in a headless browser
	@tests/tools/apt.sh chromium chromium-driver
	@PYTHONPATH=collections $(BIN)/python -m pytest -q tests/browser

.PHONY: $(addprefix units-,$(OTHER_CORES)) $(addprefix sanity-,$(OTHER_CORES))
units-2.17: ## Run the unit tests on ansible-core 2.17
units-2.18: ## Run the unit tests on ansible-core 2.18
sanity-2.17: ## Run ansible-test sanity of ansible-core 2.17
sanity-2.18: ## Run ansible-test sanity of ansible-core 2.18

$(addprefix units-,$(OTHER_CORES)): units-%: venv-% apt-test
	$(call run-units,.venv-$*)

$(addprefix sanity-,$(OTHER_CORES)): sanity-%: venv-% venv-test
	@.venv-$*/bin/python tests/tools/run_ansible_test.py $* sanity --local

# What is measured, and how often each side runs: make bench BENCH="registration upload" BENCH_RUNS=5.
BENCH ?=
BENCH_RUNS ?= 3

.PHONY: bench
bench: venv-test venv-peers ## Measure the collection beside its peers: make bench BENCH="registration upload" BENCH_RUNS=3
	@$(BIN)/python tests/bench/bench.py --runs '$(BENCH_RUNS)' $(BENCH)

# The seeds that chaos runs: 1-30, or 7,11 to see those again.
CHAOS_SEEDS ?= 1-30

.PHONY: chaos
chaos: venv-test ## Switch stores under 30 faults at random moments, and list them: make chaos CHAOS_SEEDS=1-30
	@$(MOLECULE) destroy --scenario-name default
	@CHAOS_SEEDS='$(CHAOS_SEEDS)' PYTEST_ADDOPTS='-v --durations=0 -k test_misfortune' $(MOLECULE) test --scenario-name switch

##### Working on it

.PHONY: docs
docs: venv-test ## Write docs/reference, docs/releases.md and docs/guides.md from what they tell of
	@$(BIN)/python tests/tools/reference.py && $(BIN)/python tests/tools/release_pages.py

.PHONY: format
format: venv-test ## Format the Python files
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

.PHONY: venv
venv: $(LINK) ## Make the virtual environment .venv, with what quickstart needs
	@tests/tools/venv.sh .venv 2.19 run

.PHONY: venv-test
venv-test: venv ## Add what the tests need to .venv
	@tests/tools/venv.sh .venv 2.19 test

.PHONY: venv-peers
venv-peers:
	@tests/tools/venv.sh .venv-peers 2.19 peers constraints-peers

.PHONY: pins
pins: ## Write requirements/constraints.txt anew, with the newest versions
	@tests/tools/pins.sh

.PHONY: scenario-named
scenario-named:
	@[[ -f "molecule/$(SCENARIO)/molecule.yml" ]] || { echo "Name a scenario: make scenario SCENARIO=default. There are:" \
	    $(notdir $(patsubst %/,%,$(dir $(wildcard molecule/*/molecule.yml)))) >&2; exit 1; }

.PHONY: apt-test
apt-test:
	@tests/tools/apt.sh mariadb-server-core qemu-utils gpg gpgv iproute2

$(LINK):
	@mkdir -p $(dir $(LINK))
	@ln -sfn ../../.. $(LINK)

.PHONY: $(addprefix venv-,$(OTHER_CORES))
$(addprefix venv-,$(OTHER_CORES)): venv-%: $(LINK)
	@tests/tools/venv.sh .venv-$* $* unit
