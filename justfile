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

bench:
    cargo bench -p equipoise-benches
