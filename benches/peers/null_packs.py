"""Are our intervals what they say? Two questions to many small runs of the null experiment, each with worlds of its own.

False findings: where patterns behave exactly like their look-alikes (delta = 0) every comparison of arms should say "no difference"; how many do not,
by comparison and after Holm's adjustment within a run? Coverage: each run publishes an interval for each arm; in what share of runs does it cover the
mean over the fresh worlds of all the other runs?

Usage: `python null_packs.py EQUIPOISE [--runs 40] [--persons 2500] [--worlds 4] [--store DIR]`, from the folder of the repository. Standard
library only. An interrupted call goes on: runs lie in the store. Prints one line a question and exits 1 where a promise is broken by more than
chance allows (one-sided 1 % by the binomial distribution, runs taken as independent).
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys

ask = argparse.ArgumentParser()
ask.add_argument("equipoise")
ask.add_argument("--runs", type=int, default=40)
ask.add_argument("--persons", type=int, default=2500)
ask.add_argument("--worlds", type=int, default=4)
ask.add_argument("--store", default="runs-null-packs")
ask.add_argument("--metric", default="average-precision")
given = ask.parse_args()

found = []
for at in range(given.runs):
    sets = [
        f"experiment.name=null-pack-{at:02}", f"experiment.seed={7_000 + at}", f"experiment.seeds={given.worlds}",
        f"world.persons={given.persons}", f"experiment.primary={given.metric}", "tuning.learning-rates=[0.05]",
        "tuning.private-learning-rates=[0.05]", 'arms=["local-only", "federated", "pooled-unlinked", "pooled-linked"]',
    ]
    command = [given.equipoise, "run", "experiments/null.toml", "--quiet", "--json", "--runs", given.store]
    said = subprocess.run(command + [word for value in sets for word in ("--set", value)], check=True, capture_output=True, text=True)
    report = pathlib.Path(json.loads(said.stdout)["report"])
    found.append(json.loads((report.parent / "metrics.json").read_text()))
    # A null world serves one run, and forty of them would fill a disk.
    subprocess.run(["rm", "-rf", f"{given.store}/cache/world"], check=True)


def tail(n, k, p):
    """P(at least k of n)."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


broken = False
asked, wrong, runs_wrong = 0, 0, 0
for metrics in found:
    pairs = {}
    for row in metrics["comparisons"]:
        if row["metric"] == given.metric and row["verdict"] != "not-assessable":
            pairs[row["a"], row["b"]] = row
    asked += len(pairs)
    wrong += sum(row["verdict"] != "no-difference" for row in pairs.values())
    runs_wrong += any((row.get("p_holm") or 1.0) < 0.05 for row in pairs.values())
chance = tail(len(found), runs_wrong, 0.05)
broken |= chance < 0.01
print(f"delta 0, {len(found)} runs of {given.worlds} worlds of {given.persons} persons: {wrong} of {asked} comparisons by themselves say a difference "
      f"({100 * wrong / max(asked, 1):.1f} %); after Holm {runs_wrong} of {len(found)} runs do (at most 5 % promised; chance of so many: {chance:.2f})")

covered = of = 0
for arm in [arm["id"] for arm in found[0]["arms"]]:
    rows = [next(a for a in metrics["arms"] if a["id"] == arm) for metrics in found]
    for at, row in enumerate(rows):
        value = row["summaries"][given.metric].get("value")
        if value is None:
            continue
        fresh = [v for other, r in enumerate(rows) if other != at for v in r["per_seed"][given.metric] if v is not None]
        of += 1
        covered += value["low"] <= sum(fresh) / len(fresh) <= value["high"]
missed = 1 - covered / max(of, 1)
broken |= of > 0 and covered / of < 0.9
print(f"coverage: {covered} of {of} published 95 % intervals ({len(found)} runs, {len(found[0]['arms'])} arms) hold the mean over the fresh worlds of the "
      f"other runs ({100 * covered / max(of, 1):.1f} %; at least 90 % promised)")
sys.exit(broken)
