# The commands of this project. `make help` lists them.
# Each one sets up what it needs in .venv and node_modules first; doing so twice costs nothing.

PYTHON ?= python3
RUN := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help book html pdf lab venv test test-core bench chapter figures messages translations facts-due clean

help:  ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 18

book: set-up-book  ## set up, run the notebooks, build the site and serve it at a local address
	@$(RUN) site/build/make_site.py --serve

html: set-up-book  ## build the site into _build/html
	@$(RUN) site/build/make_site.py

pdf: set-up-test  ## print the whole book into one PDF in _build (needs Chromium)
	@$(RUN) site/build/make_site.py
	@$(RUN) site/build/make_pdf.py

lab: set-up-lab  ## open the notebooks in JupyterLab (as root in a container: make lab ARGS=--allow-root)
	@$(RUN) -m jupyterlab --notebook-dir notebooks $(ARGS)

venv: set-up-core  ## make .venv with every Python package, the tests' too

test: set-up-test  ## every test: style, types, units, conformance, site, browser, notebooks (needs Chromium)
	@$(RUN) site/build/run_tests.py

test-core: set-up-core  ## the tests that need neither a browser nor the built site
	@$(RUN) site/build/run_tests.py --core

bench: set-up-core  ## speed and memory as ratios to a fixed reference
	@$(RUN) -m benchmarks

chapter: set-up-core  ## begin a chapter: make chapter NAME=26-infrastructure FIGURE=my_figure
	@$(RUN) site/build/new_chapter.py $(NAME) $(FIGURE)

figures: set-up-test  ## draw the Mermaid diagrams that are new or changed (needs Chromium)
	@$(RUN) site/build/make_site.py --draw

messages: set-up-core  ## bring the translations up to date with the text
	@$(RUN) site/build/translate.py

translations: set-up-core  ## say what is not translated
	@$(RUN) site/build/translate.py --report

facts-due: set-up-core  ## list the facts whose source should be read again
	@$(RUN) -m clustersim.facts --due

clean:  ## remove what was built; .venv and node_modules stay
	@rm -rf _build build clustersim.egg-info

set-up-%:
	@python=$$(sh site/build/find_python.sh $(PYTHON)) && "$$python" site/build/bootstrap.py $*
