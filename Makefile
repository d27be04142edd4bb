# Every target is one readable command; `make help` lists them.

PYTHON ?= python3
export PYTHON
# Notebooks that draw an environment need neither a screen nor a sound card.
export SDL_VIDEODRIVER := dummy
export SDL_AUDIODRIVER := dummy
BIN := .venv/bin
ASSIGNMENTS := $(basename $(notdir $(wildcard autograder/masters/*.py)))
LIBRARY := $(wildcard policy_gradients/*.py policy_gradients/*/*.py)
PAGES := $(wildcard chapters/*.md chapters/*.bib chapters/_extensions/*.py chapters/_static/* \
	assignments/*/*.ipynb solutions/*.ipynb) genindex.md _config.yml _toc.yml
PACKAGES := $(shell sed '/^\#/d' constraints.txt)
# Where nothing isolates student code, the sample class, the project's own, goes without.
SANDBOX = $(shell $(BIN)/python -c 'from autograder.sandbox import resolve; print(resolve("auto"))' 2>/dev/null || echo none)

.PHONY: all setup release grades book test solutions colab-check check pictures constraints clean help
.NOTPARALLEL:

all: setup release grades book  ## set up, generate the assignments, grade the sample class, build the book
	@echo "Book:   $(CURDIR)/_build/html/index.html"
	@echo "Grades: $(foreach name,$(ASSIGNMENTS),$(CURDIR)/autograder/grades/$(name)/grades.json)"

setup: .venv/installed  ## the environment in .venv, as constraints.txt pins it

.venv/installed: pyproject.toml constraints.txt
	@.ci/system-packages venv bubblewrap
	@$(PYTHON) -m venv .venv
	@$(PYTHON) .ci/quietly "Installing $(words $(PACKAGES)) packages into .venv" _build/install.log $(words $(PACKAGES) $(PACKAGES)) '^(Collecting|Processing) ' \
		$(BIN)/pip install --disable-pip-version-check -c constraints.txt -e '.[all]'
	@touch $@

release: setup  ## the student notebooks, the solutions and the sample class, from the masters
	@$(BIN)/autograder release

grades: release  ## grade the sample class of every assignment
	@$(foreach name,$(ASSIGNMENTS),$(BIN)/autograder grade $(name) autograder/samples/$(name) --sandbox $(SANDBOX) &&) true

book: release _build/built  ## the book, in _build/html

_build/built: $(PAGES) _build/library
	@$(PYTHON) .ci/quietly "Building the book" _build/book.log $(words $(PAGES) $(PAGES)) '(reading sources|writing output)\.\.\. \[' \
		$(BIN)/jupyter-book build . -W -n --keep-going --all
	@touch $@

# The chapters' figures come from the library: when it changes, none of the kept results holds.
_build/library: .venv/installed $(LIBRARY)
	@rm -rf _build/.jupyter_cache _build/jupyter_execute && mkdir -p _build && touch $@

test: setup release  ## all tests
	@.ci/system-packages podman chromium
	@$(BIN)/pytest -n 2 --dist loadfile

# The highway goes first: it runs in several processes, and the others use the time in which these wait.
solutions: setup  ## the solutions with their full training, anew, two at a time (slow)
	@printf '%s\n' parallel_reinforce $(filter-out parallel_reinforce,$(ASSIGNMENTS)) | xargs -P 2 -I NAME $(BIN)/autograder release --train NAME

colab-check: setup release  ## assignments (handed in and graded) and chapters in what Colab has (slow)
	@$(BIN)/python -m tests.colab

check: setup  ## style, and whether the generated notebooks are those of the masters
	@$(BIN)/ruff check && $(BIN)/autograder release --check

pictures: grades book  ## the README's pictures, taken anew
	@$(BIN)/python -m tests.pictures

constraints:  ## pin anew, to the newest versions that pyproject.toml allows
	@rm -rf _build/pins && $(PYTHON) -m venv _build/pins && _build/pins/bin/pip install -q -e '.[all]'
	@{ head -1 constraints.txt; _build/pins/bin/pip freeze --all --exclude pip --exclude-editable | sed 's/+cpu$$//'; } > _build/pins/new
	@mv _build/pins/new constraints.txt && rm -rf _build/pins

clean:  ## remove what was made (.venv, the book, the grades)
	@rm -rf .venv _build autograder/source autograder/samples/*/ autograder/grades

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile
