# One-line recipes; each is an ordinary command that also stands in the README or in .ci.

quickstart:
    cargo run --release -- run experiments/quickstart.toml

test:
    cargo test --release

lint:
    cargo fmt --all --check
    cargo clippy --release --all-targets --workspace -- -D warnings

ci:
    .ci/run

full:
    .ci/full

# Against the baseline that `just bench-save` keeps; without one, against the last run.
bench:
    cargo bench -p equipoise-benches -- --baseline-lenient saved

bench-save:
    cargo bench -p equipoise-benches -- --save-baseline saved

# BENCHMARKS.md, its measured section.
benchmarks:
    python3 benches/regenerate.py

# docs/gallery, from finished runs in `runs`.
gallery:
    python3 docs/gallery.py

book:
    mdbook build docs
