"""Average precision, AUC and Brier over a million scores, ours and scikit-learn's in one run, on the same rows.

  python metrics_timing.py cargo test --release -p equipoise-eval --test timing -- --ignored --nocapture a_million_scores

Processor time, fastest of seven each. Ours sorts once for all three; scikit-learn sorts in each call. Fails where a value differs by 1e-9.
"""
import os, subprocess, sys, time

import numpy as np, sklearn
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

row = np.arange(1_000_000, dtype=np.uint64)
hashed = lambda by: ((row * np.uint64(by)) & np.uint64(0xFFFFFFFF)).astype(np.float64) / 4294967296.0
labels = (hashed(2_246_822_519) < 0.02 * hashed(2_654_435_761)).astype(int)
ours = {}
for line in subprocess.run(sys.argv[1:], capture_output=True, text=True, check=True).stdout.splitlines():
    if " all_ms=" in line:
        name, *pairs = line.split()
        ours[name] = {key: float(value) for key, value in (pair.split("=") for pair in pairs)}
assert len(ours) == 2, "the command printed no timings"
for name, levels in (("distinct", 0), ("1000-levels", 1000)):
    scores = hashed(2_654_435_761)
    scores = np.floor(scores * levels) / levels if levels else scores
    spent, values = {}, {}
    for key, metric in (("ap", average_precision_score), ("auc", roc_auc_score), ("brier", brier_score_loss)):
        best = np.inf
        for _ in range(7):
            start = time.process_time()
            values[key] = metric(labels, scores)
            best = min(best, time.process_time() - start)
        spent[key] = best * 1e3
        assert abs(values[key] - ours[name][key]) < 1e-9, (name, key, values[key], ours[name][key])
    total = sum(spent.values())
    parts = ", ".join(f"{key} {value:.1f}" for key, value in spent.items())
    print(f"{name}: ours {ours[name]['all_ms']:.1f} ms (sorting {ours[name]['sort_ms']:.1f}); scikit-learn {sklearn.__version__} {total:.1f} ms ({parts}); ratio {total / ours[name]['all_ms']:.2f}; values equal to 1e-9; load {os.getloadavg()[0]:.0f}")
