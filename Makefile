# `make help` lists the targets. What stands here with ?= can be set in the environment or on the
# command line; so can PYTHON (from which .venv is made), DATABASE_URL and DATA_DIR.
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
DATA := $(or $(DATA_DIR),var)
SECRET_KEY_FILE ?= $(DATA)/secret_key
ALLOWED_HOSTS ?= localhost,127.0.0.1,$(HOST)

# The files of node_modules that the pages use; they are copied flat into static/vendor. A .map is
# named too where a file points at one: collectstatic refuses a reference that leads nowhere.
VENDOR := \
	bootstrap/dist/css/bootstrap.min.css \
	bootstrap/dist/css/bootstrap.min.css.map \
	htmx.org/dist/htmx.min.js \
	trix/dist/trix.css \
	trix/dist/trix.umd.min.js \
	trix/dist/trix.umd.min.js.map

# Tools run as modules of .venv's Python: their scripts would break when the checkout is moved.
PY := .venv/bin/python
DEMO := env PYTHONUTF8=1 DEBUG=off HTTPS=off ALLOWED_HOSTS=$(ALLOWED_HOSTS) SECRET_KEY_FILE=$(SECRET_KEY_FILE)
# The tests have settings of their own: the caller's must not change them, nor they the caller's data.
TEST := env -u DATA_DIR -u SECRET_KEY -u SECRET_KEY_FILE -u ALLOWED_HOSTS -u HTTPS -u DEBUG
# As in production, but on a database of no importance.
PRODUCTION := env -u DATABASE_URL -u SECRET_KEY_FILE DEBUG=off HTTPS=on ALLOWED_HOSTS=portal.example \
	DATA_DIR=var/lint SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')
UV_COMPILE := $(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate pyproject.toml

CATALOGUES := locale/en/LC_MESSAGES
BABEL := PYTHONPATH=. $(PY) -m babel.messages.frontend --quiet
EXTRACT := $(BABEL) extract --keyword=gettext_lazy --keyword=_ --keyword=pgettext_lazy:1c,2 --no-location --sort-output

.PHONY: help run test lint format messages lock bench
.DELETE_ON_ERROR:

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: .venv/.installed $(DATA)/static/staticfiles.json $(CATALOGUES)/.compiled  ## serve the demonstration on http://localhost:8000/ (HOST=, PORT=)
	@# Looked at first: granian would share the port with another granian without a word.
	@! $(PY) -c 'import socket; socket.create_connection(("$(HOST)", $(PORT)), 2)' 2>/dev/null || \
		{ echo "Port $(PORT) is taken; choose another, as in: make run PORT=8001" >&2; exit 1; }
	@$(DEMO) $(PY) manage.py migrate --verbosity 0
	@$(DEMO) $(PY) manage.py load_reference_data
	@$(DEMO) $(PY) manage.py seed_demo
	@printf '\n  The portal: http://%s:$(PORT)/   (Ctrl-C stops it)\n\n' $(HOST:127.0.0.1=localhost)
	@# Few threads: Python runs one at a time, and each keeps a database connection as long as
	@# CONN_MAX_AGE. Backpressure counts open connections, idle ones too, and a browser holds six.
	@exec $(DEMO) $(PY) -m granian --interface wsgi liuhao_portal.wsgi:application \
		--host $(HOST) --port $(PORT) --workers $(WORKERS) --blocking-threads 4 \
		--blocking-threads-idle-timeout 600 --backpressure 512 --no-access-log --log-level warning

test: .venv/.installed static/vendor/.copied $(CATALOGUES)/.compiled  ## the whole suite, on SQLite or DATABASE_URL (ARGS="-k name")
	$(TEST) $(PY) -m pytest -n auto --dist worksteal $(ARGS)

lint: .venv/.installed  ## style, layers, migrations and the deployment check
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m djlint templates --check --lint
	$(PY) .venv/bin/lint-imports
	$(PRODUCTION) $(PY) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

format: .venv/.installed  ## correct the style of code and templates
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) -m djlint templates --reformat --quiet --warn

messages: .venv/.installed  ## bring the English catalogues up to date with the words of code and templates
	@mkdir -p var
	$(EXTRACT) -F babel.cfg -o var/django.pot .
	$(EXTRACT) -F babel_js.cfg -o var/djangojs.pot .
	for domain in django djangojs; do $(BABEL) update --domain=$$domain --locale=en --input-file=var/$$domain.pot \
		--output-dir=locale --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --init-missing --width=120; done

lock: | $(PY)  ## renew the requirements files from pyproject.toml (ARGS=--upgrade for newer versions)
	$(PY) -m uv --version 2>/dev/null || $(PY) -m pip install --quiet uv
	$(UV_COMPILE) $(ARGS) -o requirements.txt
	$(UV_COMPILE) $(ARGS) --extra s3 -c requirements.txt -o requirements-s3.txt
	$(UV_COMPILE) $(ARGS) --group dev -c requirements.txt -o requirements-dev.txt

bench: .venv/.installed static/vendor/.copied  ## measure the speed
	$(PY) -m benchmarks $(ARGS)

# --- What the targets stand on: made once, renewed when what they are made from changes -----------
$(PY):
	@python=$$(scripts/require python) && "$$python" -m venv .venv

.venv/.installed: requirements-dev.txt | node_modules/.installed $(PY)
	@echo "Installing the Python packages ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt && touch $@

node_modules/.installed: package.json package-lock.json .npmrc
	@scripts/require node && npm ci --ignore-scripts --no-progress --loglevel=error && touch $@

static/vendor/.copied: node_modules/.installed scripts/charts.mjs Makefile
	@mkdir -p $(@D) && cp $(addprefix node_modules/,$(VENDOR)) $(@D)
	@node_modules/.bin/esbuild scripts/charts.mjs --bundle --minify --format=iife \
		--global-name=echarts --target=es2020 --log-level=warning --outfile=$(@D)/charts.js
	@touch $@

$(CATALOGUES)/.compiled: $(CATALOGUES)/django.po $(CATALOGUES)/djangojs.po | .venv/.installed
	@$(BABEL) compile --directory=locale --domain="django djangojs" && touch $@

$(DATA)/static/staticfiles.json: .venv/.installed static/vendor/.copied liuhao_portal/settings.py \
		$(shell find static -type f) | $(SECRET_KEY_FILE)
	@$(DEMO) $(PY) manage.py collectstatic --noinput --verbosity 0

$(SECRET_KEY_FILE): | $(PY)
	@mkdir -p $(@D) && umask 077 && $(PY) -c 'import secrets; print(secrets.token_urlsafe(64))' > $@
