UV ?= uv
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
SBOM = $(UV) tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --output-reproducible --no-validate

.PHONY: setup probe rebuild test test-once test-slow test-browser test-pmu faults mutants lint bench record lock clean

setup:
	@tools/setup

# make probe ARGS='--python /usr/bin/python3 --workload int_loop'
probe: setup
	@.venv/bin/tax-probe ipc $(ARGS)

# Which build option the tax is: builds CPython a dozen times, an hour or more on two cores; what is built is kept.
# make rebuild ARGS='--workload dynamic --remedy'
rebuild: setup
	@.venv/bin/tax-probe rebuild $(ARGS)

test: lint
	@echo 'test: pytest'
	@.venv/bin/python -m pytest -q -n 2 -m 'not slow and not once and not browser'

# What takes long and is the same on every machine: exact counts, simulated data with a known truth.
test-once:
	@tools/setup --dev
	@.venv/bin/python -m pytest -q -n 2 -m once

# The tests of minutes: real measurements of planted hosts, other targets, gdb.
test-slow:
	@tools/setup --dev
	@.venv/bin/python -m pytest -q -m slow

# Do the tests see plausible bugs? Plants each change of tests/mutants.toml in a copy of the tree: some minutes.
# make mutants ARGS='stats.py' runs those that hold the word.
mutants:
	@tools/setup --dev
	@tools/mutants $(ARGS)

# Does a measurement survive kills, signals, full disks, damage, strangers? Hours (docs/faults.md); a minute with
# make faults ARGS=--short, one of them with make faults ARGS='--only kill-chunks --tries 5'.
faults:
	@tools/setup --dev
	@tools/faults --out results/faults $(ARGS)

# The page in Chromium (chromium, chromium-browser or google-chrome on PATH): overlaps, contrast, phone, paper.
test-browser:
	@tools/setup --dev
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check 'playwright>=1.45'
	@.venv/bin/python -m pytest -q -m browser

# tax-probe on real counters whose truth is known, in Arm guests (QEMU, no KVM): some ten minutes, and 4 GB of the cache.
# make test-pmu ARGS='--budget 1200' skips what would take longer; --update takes newer packages.
test-pmu:
	@tools/setup --dev
	@tools/test-pmu $(ARGS)

lint:
	@tools/setup --dev
	@echo 'lint: ruff'
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --quiet --check
	@echo 'lint: mypy'
	@.venv/bin/mypy --no-error-summary
	@echo 'lint: the extension against its stub'
	@.venv/bin/python -m mypy.stubtest profiler._counters --concise
	@echo 'lint: rust'
	@tools/check-rust

# Benchmarks of tax-probe itself against its peers (hyperfine, where it is installed): some ten minutes, on a quiet
# machine. make bench ARGS=aa measures the baseline against itself, 50 times.
bench:
	@tools/setup --dev
	@.venv/bin/python -m benchmarks.run $(ARGS)

# Record the golden outputs again, and the pages that are made of them and of the model; to be read and committed.
record:
	@tools/setup --dev
	@TAX_PROBE_RECORD=1 .venv/bin/python -m pytest -q tests/golden
	@tools/verdict-schema > docs/verdict.schema.json
	@tools/results-page > results/README.md
	@tools/targets-page > results/targets/README.md
	@tools/readme-output

# Pin the newest dependencies (needs uv); maturin builds the extension.
lock:
	@echo 'maturin>=1.9,<2' | $(LOCK) --upgrade pyproject.toml - -o requirements.lock
	@echo 'maturin>=1.9,<2' | $(LOCK) --extra dev -c requirements.lock pyproject.toml - -o requirements-dev.lock
	@$(SBOM) requirements.lock --pyproject pyproject.toml -o requirements.cdx.json

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist target runner/*/target profiler/*.so
	@find profiler tests tools -name __pycache__ -prune -exec rm -rf {} +
