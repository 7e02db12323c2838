"""Measures again and writes the section "Measured by one command" of BENCHMARKS.md: `python3 benches/regenerate.py [--peers PYTHON] [--only REGEX] [--quick]`.

Times a whole run (`experiments/quickstart.toml`, an empty store) and every criterion bench, beside the peers of `benches/peers/` where an
interpreter that has them is named, and says on which machine, when, and under which load. The section is replaced whole, between its two
markers; everything else in the file is left as it is. From the folder of the repository, after `cargo build --release`. `--quick` tries whether all of it works: the smoke experiment, a few
samples of each bench, and the section printed and not written, because its numbers are none. Standard library only.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import resource
import subprocess
import tempfile

ask = argparse.ArgumentParser()
ask.add_argument("--peers", help="a Python that has numpy, scikit-learn, ... for the scripts in benches/peers")
ask.add_argument("--only", default="", help="criterion benches by name; empty for all")
ask.add_argument("--no-bench", action="store_true", help="leave the criterion benches as they were measured last")
ask.add_argument("--quick", action="store_true", help="try whether it works: small sizes, nothing is written")
given = ask.parse_args()
root = pathlib.Path(__file__).resolve().parent.parent
target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
equipoise = target / "release/equipoise"
if not equipoise.is_file():
    raise SystemExit(f"{equipoise}: not there; run `cargo build --release` first")
BEGIN, END = "<!-- regenerated: begin -->", "<!-- regenerated: end -->"


def model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "a machine without /proc/cpuinfo"


load = os.getloadavg()[0]
lines = [BEGIN, "## Measured by one command", "`python3 benches/regenerate.py`, " + datetime.date.today().isoformat() + f", {os.cpu_count()} cores of {model()}, load {load:.1f} before the start, "
         + subprocess.run(["rustc", "--version"], capture_output=True, text=True, cwd=root).stdout.strip() + ".", ""]

with tempfile.TemporaryDirectory() as runs:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = datetime.datetime.now()
    experiment = "smoke/smoke" if given.quick else "quickstart"
    subprocess.run([equipoise, "run", f"experiments/{experiment}.toml", "--quiet", "--runs", runs], check=True, cwd=root, stdout=subprocess.DEVNULL)
    wall = (datetime.datetime.now() - start).total_seconds()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
lines += ["| what | wall | user | system | peak memory |", "|---|---|---|---|---|",
          f"| {experiment}, an empty store | {wall:.1f} s | {after.ru_utime - before.ru_utime:.1f} s | {after.ru_stime - before.ru_stime:.1f} s | {after.ru_maxrss / 2**20:.2f} GiB |", ""]

if not given.no_bench:
    # The estimates of the last save stay beside the new ones, so that a change is seen.
    few = ["--sample-size", "10", "--warm-up-time", "0.1", "--measurement-time", "0.1"] if given.quick else []
    subprocess.run(["cargo", "bench", "-p", "equipoise-benches", "--"] + few + ([given.only] if given.only else []), check=True, cwd=root)
rows = []
for path in sorted((target / "criterion").glob("**/new/estimates.json")):
    new = json.loads(path.read_text())["median"]
    name = json.loads(path.with_name("benchmark.json").read_text())["full_id"]
    saved = path.parent.parent / "saved" / "estimates.json"
    ratio = f"{new['point_estimate'] / json.loads(saved.read_text())['median']['point_estimate']:.2f}" if saved.exists() else "–"
    bounds = new["confidence_interval"]
    rows.append(f"| {name} | {new['point_estimate'] / 1e6:.4g} [{bounds['lower_bound'] / 1e6:.4g}, {bounds['upper_bound'] / 1e6:.4g}] | {ratio} |")
if rows:
    lines += ["| bench (criterion, median and its 95 % interval) | ms | to the saved baseline |", "|---|---|---|", *rows, ""]

if given.peers:
    lines += ["Peers, as their scripts print them:", "", "```text"]
    timing = ["cargo", "test", "--release", "-p", "equipoise-eval", "--test", "timing", "--", "--ignored", "--nocapture", "a_million_scores"]
    with tempfile.TemporaryDirectory() as folder:
        dataset = pathlib.Path(folder) / "tiny"
        subprocess.run([equipoise, "dataset", "build", "tiny", "--out", dataset, "--quiet"], check=True, cwd=root, stdout=subprocess.DEVNULL)
        scripts = [("parquet_pyarrow.py", dataset), ("boosted_sklearn.py", "time"), ("metrics_timing.py", *timing), ("early_metrics.py", equipoise)]
        for script, *arguments in scripts:
            said = subprocess.run([given.peers, root / "benches/peers" / script, *arguments], capture_output=True, text=True, cwd=root)
            lines += [f"{script}: " + (said.stdout.strip() if said.returncode == 0 else "not run (" + (said.stderr.strip().splitlines() or ["no reason"])[-1] + ")")]
    lines += ["```", ""]
lines.append(END)

print(section := "\n".join(lines))
if given.quick:
    print("quick: nothing was written")
    raise SystemExit
page = root / "BENCHMARKS.md"
text = page.read_text()
pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
page.write_text(pattern.sub(lambda _: section, text) if BEGIN in text else text.rstrip() + "\n\n" + section + "\n")
