"""Writes the small tables of known values that equipoise-eval is tested against, from scikit-learn, lifelines, SciPy and statsmodels.

  python metrics_vectors.py > ../../crates/equipoise-eval/tests/vectors.json

Tables have ties and weights; survival times have no ties, because lifelines jitters ties.
Needs numpy, scipy, scikit-learn, lifelines and statsmodels.
"""
import json, warnings

import lifelines, numpy as np, scipy, sklearn, statsmodels
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from statsmodels.stats.multitest import multipletests

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20260101)


def table(n, levels, weighted, prevalence):
    """`levels` distinct scores (0: no ties)."""
    scores = rng.random(n) if levels == 0 else rng.integers(0, levels + 1, n) / levels
    labels = (rng.random(n) < np.clip(prevalence * 2 * scores, 0, 1)).astype(int)
    labels[:2] = [0, 1]
    weights = rng.integers(1, 8, n) / 4 if weighted else None
    edge = np.clip(scores, 1e-6, 1 - 1e-6)
    line = LogisticRegression(C=np.inf, tol=1e-14, max_iter=10000, solver="newton-cholesky")
    line.fit(np.log(edge / (1 - edge))[:, None], labels, sample_weight=weights)
    out = {
        "scores": scores.tolist(), "labels": labels.tolist(), "weights": None if weights is None else weights.tolist(),
        "average_precision": average_precision_score(labels, scores, sample_weight=weights),
        "roc_auc": roc_auc_score(labels, scores, sample_weight=weights),
        "brier": brier_score_loss(labels, scores, sample_weight=weights),
        "log_loss": log_loss(labels, scores, sample_weight=weights),
        "calibration_slope": float(line.coef_[0, 0]), "calibration_intercept": float(line.intercept_[0]),
    }
    ends = [scores[labels == label] for label in (0, 1)]
    if ends[1].min() >= ends[0].max() or ends[0].min() >= ends[1].max():
        # A threshold separates the labels, at best with a tie on it: the fit has no end, only a place where the solver stopped.
        out["calibration_slope"] = out["calibration_intercept"] = None
    if levels == 0 and not weighted and n % 10 == 0:
        share, mean = calibration_curve(labels, scores, n_bins=10, strategy="quantile")
        out["ece"] = float(np.abs(share - mean).mean())
    return out


def survival(n):
    days = rng.permutation(np.arange(1, 4 * n))[:n] / 4
    cause = rng.integers(0, 3, n)
    kept = lifelines.KaplanMeierFitter().fit(days, cause == 1)
    grid = np.sort(days)
    out = {"days": days.tolist(), "cause": cause.tolist(), "kaplan_meier": kept.predict(grid).tolist()}
    out["rmst"] = float(lifelines.utils.restricted_mean_survival_time(kept, t=float(grid[n // 2])))
    for code in (1, 2):
        found = lifelines.AalenJohansenFitter(calculate_variance=False).fit(days, cause, event_of_interest=code)
        curve = found.cumulative_density_.iloc[:, 0]
        out[f"aalen_johansen_{code}"] = [float(curve[curve.index <= day].iloc[-1]) for day in grid]
    return out


def wilcoxon(values, method):
    values = np.round(values, 3)
    found = stats.wilcoxon(values, method=method, correction=False, zero_method="wilcox")
    return {"differences": values.tolist(), "method": "exact" if method == "exact" else "normal", "statistic": float(found.statistic), "p": float(found.pvalue)}


def bca(n):
    values = np.round(rng.exponential(1.0, n), 3)
    found = stats.bootstrap((values,), np.mean, n_resamples=200_000, method="BCa", rng=np.random.default_rng(1))
    plain = stats.bootstrap((values,), np.mean, n_resamples=200_000, method="percentile", rng=np.random.default_rng(1))
    ends = lambda found: [float(found.confidence_interval.low), float(found.confidence_interval.high)]
    return {"values": values.tolist(), "bca": ends(found), "percentile": ends(plain), "standard_error": float(found.standard_error)}


def binomial(k, n):
    exact = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
    wilson = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    return {"k": k, "n": n, "exact": [exact.low, exact.high], "wilson": [wilson.low, wilson.high]}


def fisher(a, n, b, m):
    return {"a": a, "n": n, "b": b, "m": m, "p": float(stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue)}


def paired(n):
    a, b = np.round(rng.normal(0.6, 0.1, n), 4), np.round(rng.normal(0.55, 0.1, n), 4)
    found = stats.ttest_rel(a, b)
    ends = found.confidence_interval(0.95)
    return {"a": a.tolist(), "b": b.tolist(), "p": float(found.pvalue), "low": float(ends.low), "high": float(ends.high)}


def holm(n):
    p = np.round(rng.random(n) ** 3, 5)
    return {"p": p.tolist(), "holm": multipletests(p, method="holm")[1].tolist()}


vectors = {
    "made_by": f"benches/peers/metrics_vectors.py with scikit-learn {sklearn.__version__}, lifelines {lifelines.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
    "tables": [table(n, levels, weighted, prevalence) for n, levels, weighted, prevalence in [
        (30, 4, False, 0.4), (40, 7, True, 0.3), (60, 2, True, 0.5), (50, 0, False, 0.4), (100, 0, False, 0.2), (80, 20, False, 0.1), (45, 1, True, 0.5),
    ]],
    "survival": [survival(n) for n in (12, 25, 40)],
    "wilcoxon": [wilcoxon(rng.normal(0.3, 1, n), "exact") for n in (5, 9, 14, 25)]
    + [wilcoxon(rng.integers(-5, 8, n).astype(float), "approx") for n in (12, 20, 40)],
    "bca": [bca(n) for n in (12, 30)],
    "binomial": [binomial(k, n) for k, n in [(0, 10), (10, 10), (1, 1000), (7, 20), (13, 10_000)]],
    "fisher": [fisher(*cells) for cells in [(3, 10, 7, 10), (0, 15, 5, 12), (40, 100, 60, 120), (5, 5, 0, 5)]],
    "paired_t": [paired(n) for n in (3, 8, 20)],
    "holm": [holm(n) for n in (4, 11)],
}
print(json.dumps(vectors, separators=(",", ":")))
