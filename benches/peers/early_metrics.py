"""ERDE and the latency-weighted F1: `equipoise metrics FILE --json` beside the papers' formulas, written plainly, on random tables.

  python benches/peers/early_metrics.py [EQUIPOISE]

PyPI has no package that computes them (searched by description and name), so what stands here is what the papers print: ERDE from Losada and
Crestani, "A Test Collection for Research on Depression and Language Use" (CLEF 2016), latency-weighted F1 from Sadeque, Xu and Bethard,
"Measuring the Latency of Depression Detection in Social Media" (WSDM 2018). Account by account, no arrays, standard library only, so that
nothing is shared with what is tested. Fails at a difference of 1e-12.
"""

import json
import math
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

equipoise = sys.argv[1] if len(sys.argv) > 1 else "target/release/equipoise"


def latency_cost(k, o):
    """lc_o(k) of the first paper."""
    return 1 - 1 / (1 + math.exp(k - o)) if k - o < 700 else 1.0


def erde(rows, o, false_positive, false_negative=1, true_positive=1):
    costs = []
    for harmful, k in rows:
        if k is not None and not harmful:
            costs.append(false_positive)
        elif k is None and harmful:
            costs.append(false_negative)
        elif k is not None and harmful:
            costs.append(latency_cost(k, o) * true_positive)
        else:
            costs.append(0)
    return math.fsum(costs) / len(costs)


def penalty(k, p):
    return -1 + 2 / (1 + math.exp(-p * (k - 1)))


def latency_weighted_f1(rows, p):
    """F1 of precision and recall, times 1 minus the median penalty of the true positives."""
    hits = [k for harmful, k in rows if harmful and k is not None]
    if not hits:
        return 0.0
    precision = len(hits) / sum(k is not None for _, k in rows)
    recall = len(hits) / sum(harmful for harmful, _ in rows)
    return 2 * precision * recall / (precision + recall) * (1 - statistics.median(penalty(k, p) for k in hits))


def table(rng):
    """From rare to common, from few rows to thousands, alerts from at once to far beyond any deadline; one positive row at least."""
    n, prevalence, alerts = rng.choice([1, 2, 25, 400, 5000]), rng.choice([0.005, 0.1, 0.6]), rng.choice([0, 0.05, 0.5, 1])
    reach, whole = rng.choice([3, 60, 2000]), rng.random() < 0.5
    draw = lambda: rng.randint(1, reach) if whole else 1 + rng.random() * reach
    rows = [(rng.random() < prevalence, draw() if rng.random() < alerts else None) for _ in range(n)]
    rows[0] = (True, rows[0][1])
    return rows


rng = random.Random(20261128)
largest, tables = {"erde": 0.0, "latency_weighted_f1": 0.0}, 120
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "table.csv"
    for _ in range(tables):
        rows = table(rng)
        o, p = rng.choice([5, 50, 7.5]), rng.choice([0.0078, 0.05])
        cost = rng.choice([None, 0.1296, 1.0])
        lines = [f"{rng.random()},{int(harmful)},{'' if k is None else repr(k)}" for harmful, k in rows]
        path.write_text("score,label,seen\n" + "\n".join(lines) + "\n")
        given = [equipoise, "metrics", path, "--json", "--deadline", str(o), "--latency", str(p)] + (["--false-alert", str(cost)] if cost else [])
        ours = json.loads(subprocess.run(given, capture_output=True, text=True, check=True).stdout)
        share = sum(harmful for harmful, _ in rows) / len(rows)
        theirs = {"erde": erde(rows, o, share if cost is None else cost), "latency_weighted_f1": latency_weighted_f1(rows, p)}
        for name, value in theirs.items():
            key = f"erde_{o}" if name == "erde" else name
            largest[name] = max(largest[name], abs(ours[key] - value))
print(f"{tables} random tables of 1 to 5,000 rows; largest difference: " + ", ".join(f"{name} {value:.1e}" for name, value in largest.items()))
assert max(largest.values()) < 1e-12, largest
