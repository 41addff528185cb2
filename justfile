# Every check by its name: what CI, the pre-commit hooks and `./run test` run. Nothing is configured twice.
# `./run check` installs what is missing first, `just` itself included (`.venv/bin/just`).

set shell := ["sh", "-euc"]

export PATH := justfile_directory() / ".venv" / "bin" + ":" + env("PATH")

[private]
default:
    @just --list --unsorted

# everything without the real parts, in CI's order
check: lint format-check contracts deps dead types unit

# ruff's rules
[group("static")]
lint *paths=".":
    ruff check {{ paths }}

# rewrite: order of imports, layout
[group("static")]
format *paths=".":
    ruff check --fix --select I {{ paths }}
    ruff format {{ paths }}

# the layout, without rewriting
[group("static")]
format-check *paths=".":
    ruff format --check {{ paths }}

# which room may import which: pyproject.toml, [tool.importlinter]
[group("static")]
contracts:
    lint-imports --no-cache --no-logo

# every member names exactly the packages that it imports
[group("static")]
deps:
    #!/bin/sh
    set -eu
    members='libs/* services/* cli orchestration'
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    names=
    for member in $members; do names="${names}clearfacts-${member##*/}=${member##*/},"; done
    for member in $members; do
        (cd "$member" && deptry src --package-module-name-map "${names%,}") >"$log" 2>&1 || { cat "$log"; echo "in $member"; exit 1; }
    done

# code that nobody calls
[group("static")]
dead:
    vulture

# pyright, strict
[group("static")]
types *paths:
    pyright {{ paths }}

# what needs no sockets (Unix sockets stay: the event loop has one for itself)
[group("tests")]
unit *arguments:
    pytest -q --disable-socket --allow-unix-socket tests/unit tests/architecture {{ arguments }}

# service cards, rooms, sizes, names that live in one place, the lock
[group("tests")]
architecture *arguments:
    pytest -q --disable-socket --allow-unix-socket tests/architecture {{ arguments }}

# pytest with the real Kafka, PostgreSQL and Valkey where a test asks for them; what kills and measures has the machine alone
[group("tests")]
test *arguments:
    #!/bin/sh
    set -eu
    if [ -n {{ quote(arguments) }} ]; then exec pytest -q {{ arguments }}; fi
    # files in this order, the long ones first: by number of tests, xdist's own order, one of them would end alone
    pytest -q -n 3 --dist loadfile --no-loadscope-reorder --durations 15 -m "not alone" \
        tests/e2e tests/integration tests/contract tests/architecture tests/unit
    pytest -q -m alone tests/integration
    pytest -q tests/chaos

# schemathesis over the whole API, with so many examples of each operation and caller (`just test` takes a few)
[group("tests")]
schemathesis examples="50":
    SCHEMATHESIS_EXAMPLES={{ examples }} pytest -q -n 2 tests/contract/api/test_schemathesis.py

# branches covered by all tests, services measured as processes; the pure rooms wholly
[group("tests")]
coverage *arguments="tests":
    coverage erase
    coverage run -m pytest -q {{ arguments }}
    coverage combine -q
    coverage report --include='*/common/invoice/*,*/common/contracts/*,*/common/errors.py,*/common/halves.py,*/*/domain.py,*/*/domain/*' --fail-under=100
    coverage report

# resolve anew and write requirements.lock: hashes, no addresses (needs the package index and uv)
[group("made")]
lock *arguments:
    uv lock {{ arguments }}
    uv export --quiet --all-packages --all-groups --format requirements-txt --no-emit-workspace -o requirements.lock

# write docs/openapi.json from the routes
[group("made")]
openapi:
    python -m gateway.routes.openapi docs/openapi.json

# write the shapes of the Python client from docs/openapi.json
[group("made")]
client:
    python libs/client/make_shapes.py

# write docs/errors.md from the codes
[group("made")]
errors:
    python -m gateway.routes.codes > docs/errors.md

# write docs/events.md and docs/asyncapi.json from the contracts
[group("made")]
events:
    python -m common.contracts.describe > docs/events.md
    python -m common.contracts.asyncapi > docs/asyncapi.json

# write docs/metrics.md from the list of metrics
[group("made")]
metrics:
    python -m common.observability.describe > docs/metrics.md

# is this file a conventional commit message, scoped by service or library?
[group("made")]
message file:
    @head -n 1 {{ quote(file) }} | grep -qE '^(feat|fix|perf|refactor|test|docs|build|ci|chore|style|revert)(\([a-z0-9,-]+\))?!?: [^ ].*[^.]$|^(Merge|fixup!|squash!) ' \
        || { echo "a message starts like: feat(sender): wait for what the destination says" >&2; exit 1; }

# install the hooks of .pre-commit-config.yaml
[group("made")]
hooks:
    pre-commit install --install-hooks --hook-type pre-commit --hook-type commit-msg
