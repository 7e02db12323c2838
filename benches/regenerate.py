"""Measures again and writes the section "Measured by one command" of BENCHMARKS.md: `python3 benches/regenerate.py [--peers PYTHON] [--only REGEX]`.

Times a whole run (`experiments/quickstart.toml`, an empty store) and every criterion bench, beside the peers of `benches/peers/` where an
interpreter that has them is named, and says on which machine, when, and under which load. The section is replaced whole, between its two
markers; everything else in the file is left as it is. From the folder of the repository, after `cargo build --release`. Standard library only.
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
given = ask.parse_args()
root = pathlib.Path(__file__).resolve().parent.parent
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
    subprocess.run([root / "target/release/equipoise", "run", "experiments/quickstart.toml", "--quiet", "--runs", runs], check=True, cwd=root, stdout=subprocess.DEVNULL)
    wall = (datetime.datetime.now() - start).total_seconds()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
lines += ["| what | wall | user | system | peak memory |", "|---|---|---|---|---|",
          f"| quickstart, an empty store | {wall:.1f} s | {after.ru_utime - before.ru_utime:.1f} s | {after.ru_stime - before.ru_stime:.1f} s | {after.ru_maxrss / 2**20:.2f} GiB |", ""]

if not given.no_bench:
    # The estimates of the last save stay beside the new ones, so that a change is seen.
    subprocess.run(["cargo", "bench", "-p", "equipoise-benches", "--"] + ([given.only] if given.only else []), check=True, cwd=root)
rows = []
for path in sorted((root / "target/criterion").glob("**/new/estimates.json")):
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
    for script in ["parquet_pyarrow.py", "boosted_sklearn.py", "metrics_timing.py"]:
        said = subprocess.run([given.peers, root / "benches/peers" / script], capture_output=True, text=True, cwd=root)
        lines += [f"{script}: " + (said.stdout.strip() if said.returncode == 0 else "not run (" + (said.stderr.strip().splitlines() or ["no reason"])[-1] + ")")]
    lines += ["```", ""]
lines.append(END)

page = root / "BENCHMARKS.md"
text, section = page.read_text(), "\n".join(lines)
pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
page.write_text(pattern.sub(lambda _: section, text) if BEGIN in text else text.rstrip() + "\n\n" + section + "\n")
print(section)
