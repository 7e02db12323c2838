"""Are our intervals what they say? Four questions without an answer to be found, each asked of many small runs with worlds of their own.

  null      patterns that behave exactly like their look-alikes (delta = 0): no arm is better than another
  permuted  labels and truth dealt anew within each platform: no arm is better than another
  alike     platforms that differ in their names only: who holds which rows means nothing
  policy    measures that do nothing: every world with them equals the one without to the byte; and three worlds with them against three other
            worlds without differ by chance only

False findings: how many comparisons say a difference, by themselves and after Holm's adjustment within a run? Coverage (`null` only): each run publishes an
interval for each arm; in what share of runs does it hold the mean over the fresh worlds of all the other runs?

Usage: `python null_packs.py EQUIPOISE [--packs null,permuted,alike,policy] [--runs 40] [--persons 2500] [--worlds 4] [--store DIR]`, from the folder of the
repository. Standard library only. An interrupted call goes on: runs lie in the store. Prints one line a question and exits 1 where a promise is broken
by more than chance allows (one-sided 1 % by the binomial distribution, runs taken as independent).
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys

LADDER = 'arms=["local-only", "federated", "pooled-unlinked", "pooled-linked"]'
# First seed, what is set beside the size, and the metric that is compared. Labels that are dealt anew within each platform still tell how common they
# are there, which average precision over all platforms rewards; reviews are spent platform by platform.
PACKS = {
    "null": (7_000, [LADDER], "average-precision"),
    "permuted": (8_000, [LADDER], "recall-at-budget"),
    "alike": (9_000, [], "average-precision"),
}
# Quantile .975 of Student's t with 4 degrees of freedom: two groups of three worlds.
T4 = 2.7764451051977987

ask = argparse.ArgumentParser()
ask.add_argument("equipoise")
ask.add_argument("--packs", default="null,permuted,alike,policy")
ask.add_argument("--runs", type=int, default=40)
ask.add_argument("--persons", type=int, default=2500)
ask.add_argument("--worlds", type=int, default=4)
ask.add_argument("--store", default="runs-null-packs")
given = ask.parse_args()


def runs_of(pack):
    """The metrics of every run of a pack."""
    seed, more, metric = PACKS[pack]
    found = []
    for at in range(given.runs):
        sets = [
            f"experiment.name={pack}-pack-{at:02}", f"experiment.seed={seed + at}", f"experiment.seeds={given.worlds}",
            f"world.persons={given.persons}", f"experiment.primary={metric}", "tuning.learning-rates=[0.05]",
            "tuning.private-learning-rates=[0.05]", *more,
        ]
        command = [given.equipoise, "run", f"experiments/{pack}.toml", "--quiet", "--json", "--runs", given.store]
        said = subprocess.run(command + [word for value in sets for word in ("--set", value)], check=True, capture_output=True, text=True)
        report = pathlib.Path(json.loads(said.stdout)["report"])
        found.append(json.loads((report.parent / "metrics.json").read_text()))
        # A null world serves one run, and forty of them would fill a disk.
        subprocess.run(["rm", "-rf", f"{given.store}/cache/world"], check=True)
    return found


def tail(n, k, p):
    """P(at least k of n)."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def false_findings(pack, found):
    """Prints how often a pack says a difference; whether that is more than promised."""
    metric = PACKS[pack][2]
    asked, wrong, runs_wrong = 0, 0, 0
    for metrics in found:
        pairs = {}
        for row in metrics["comparisons"]:
            if row["metric"] == metric and row["verdict"] != "not-assessable":
                pairs[row["a"], row["b"]] = row
        asked += len(pairs)
        wrong += sum(row["verdict"] != "no-difference" for row in pairs.values())
        # A single comparison is its own family.
        holm = [row["p_holm"] if row.get("p_holm") is not None else 0.0 if row["verdict"] != "no-difference" else 1.0 for row in pairs.values()]
        runs_wrong += any(p < 0.05 for p in holm)
    if not asked:
        sys.exit(f"{pack}: nothing was compared")
    chance = tail(len(found), runs_wrong, 0.05)
    print(f"{pack}: {len(found)} runs of {given.worlds} worlds of {given.persons} persons: {wrong} of {asked} comparisons by themselves say a difference "
          f"({100 * wrong / asked:.1f} %); after Holm {runs_wrong} of {len(found)} runs do (at most 5 % promised; chance of so many: {chance:.2f})", flush=True)
    return chance < 0.01


def coverage(found):
    """Prints how often a published interval holds what fresh worlds say; whether that is less than promised."""
    metric = PACKS["null"][2]
    covered = of = 0
    for arm in [arm["id"] for arm in found[0]["arms"]]:
        rows = [next(a for a in metrics["arms"] if a["id"] == arm) for metrics in found]
        for at, row in enumerate(rows):
            value = row["summaries"][metric].get("value")
            if value is None:
                continue
            fresh = [v for other, r in enumerate(rows) if other != at for v in r["per_seed"][metric] if v is not None]
            of += 1
            covered += value["low"] <= sum(fresh) / len(fresh) <= value["high"]
    print(f"coverage: {covered} of {of} published 95 % intervals ({len(found)} runs, {len(found[0]['arms'])} arms) hold the mean over the fresh worlds of the "
          f"other runs ({100 * covered / max(of, 1):.1f} %; at least 90 % promised)", flush=True)
    return of > 0 and covered / of < 0.9


def policy():
    """A measure that does nothing, paired and not; whether it does something."""
    seeds = 6 * given.runs
    command = [given.equipoise, "policy", "run", "experiments/policy/no-effect.toml", "--seeds", str(seeds), "--json", "--runs", given.store]
    subprocess.run(command, check=True, capture_output=True)
    (home,) = pathlib.Path(given.store).glob("policy-no-effect-*")
    cells = home / "cells"
    cell = lambda seed, at: json.loads((cells / f"seed-{seed:04}-cell-{at:03}.json").read_text())
    children = [[cell(seed, at)["harm"]["all"]["children"] for seed in range(seeds)] for at in (0, 1)]
    unequal = sum(cell(seed, 0)["harm"] != cell(seed, 1)["harm"] for seed in range(seeds))
    wrong = 0
    for pack in range(given.runs):
        without, within = children[0][6 * pack : 6 * pack + 3], children[1][6 * pack + 3 : 6 * pack + 6]
        spread = math.sqrt((statistics.variance(without) + statistics.variance(within)) / 3)
        wrong += abs(statistics.mean(without) - statistics.mean(within)) > T4 * spread
    chance = tail(given.runs, wrong, 0.05)
    print(f"policy: {unequal} of {seeds} worlds with a measure that does nothing differ from the same world without it; {wrong} of {given.runs} comparisons of three "
          f"worlds with it and three others without say a difference in children contacted (at most 5 % promised; chance of so many: {chance:.2f})", flush=True)
    return unequal > 0 or chance < 0.01


broken = False
for pack in given.packs.split(","):
    if pack == "policy":
        broken |= policy()
        continue
    found = runs_of(pack)
    broken |= false_findings(pack, found)
    if pack == "null":
        broken |= coverage(found)
sys.exit(broken)
