"""scikit-learn's HistGradientBoostingClassifier beside equipoise_model::boosted.

  python boosted_sklearn.py fixture crates/equipoise-model/tests/fixtures/boosted_sklearn.csv
      writes the table and the peer's probabilities that the test `boosted_sklearn` compares with
  OMP_NUM_THREADS=2 python boosted_sklearn.py time [repeats]
      (on a loaded machine compare processor seconds of one thread each: waiting OpenMP threads spin)
      times fits of 20,000 rows x 88 columns, 100 rounds x 31 leaves; the same bytes of data as
      `cargo run --release -p equipoise-model --example boosted`

Needs numpy and scikit-learn. Every value is a function of its address (SplitMix64), so nothing is stored but the fixture.
"""
import os, sys, time

os.environ.setdefault("OMP_NUM_THREADS", "2")
import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score


def uniform(address):
    """24 random bits as a number in [0, 1), exact in single precision."""
    with np.errstate(over="ignore"):
        z = np.asarray(address, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**24


def fixture(path):
    rows, train = 1500, 1000
    u = lambda column: uniform(np.arange(rows) * 64 + column)
    x = np.empty((rows, 8))
    x[:, 0] = np.floor(1000 * u(0))
    x[:, 1] = np.floor(1000 * u(1))
    x[:, 2] = np.floor(-3 * np.log(1 - u(2)))
    x[:, 3] = u(3) < 0.3
    x[:, 4] = np.where(u(4) < 0.15 + 0.3 * x[:, 3], np.nan, np.floor(1000 * u(5)))
    x[:, 5] = np.floor(1000 * u(6) ** 3)
    x[:, 6] = np.floor(1000 * u(7))
    x[:, 7] = np.where(u(8) < 0.1, np.nan, np.floor(4 * u(9)))
    logit = 2.0 * ((x[:, 0] > 500) != (x[:, 1] > 400)) + 0.35 * x[:, 2] - 1.5 * x[:, 3] + 1.2 * np.isnan(x[:, 4])
    logit += 0.002 * np.nan_to_num(x[:, 4], nan=500) - 0.002 * x[:, 5] - 2.6
    y = (u(10) < 1 / (1 + np.exp(-logit))).astype(int)
    w = 1 + np.floor(3 * u(11))
    common = dict(early_stopping=False, max_bins=255, random_state=0)
    plain = HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=60, max_leaf_nodes=31, min_samples_leaf=20, l2_regularization=0.0, **common)
    strict = HistGradientBoostingClassifier(
        learning_rate=0.2, max_iter=40, max_leaf_nodes=8, max_depth=4, min_samples_leaf=5, l2_regularization=3.0, **common)
    plain.fit(x[:train], y[:train])
    strict.fit(x[:train], y[:train], sample_weight=w[:train])
    scores = [m.predict_proba(x[train:])[:, 1] for m in (plain, strict)]
    with open(path, "w") as out:
        out.write(f"# scikit-learn {sklearn.__version__}, benches/peers/boosted_sklearn.py; scores on rows not trained on\n")
        out.write("c0,c1,c2,c3,c4,c5,c6,c7,label,weight,plain,strict\n")
        for row in range(rows):
            cells = ["" if np.isnan(v) else str(int(v)) for v in x[row]] + [str(y[row]), str(int(w[row]))]
            cells += ["", ""] if row < train else [f"{s[row - train]:.7f}" for s in scores]
            out.write(",".join(cells) + "\n")
    for name, s in zip(("plain", "strict"), scores):
        print(name, "log loss", log_loss(y[train:], s), "AUC", roc_auc_score(y[train:], s))


def table(rows, kind):
    """`dense`: uniform columns, 255 bins each. `mixed`: as features are, half counts and flags, some values missing."""
    columns = 88
    u = uniform((np.arange(rows)[:, None] * 128 + np.arange(columns)[None, :]))
    y = uniform(np.arange(rows) * 128 + 100) < 0.05 + 0.9 * u[:, 0] * u[:, 1] * (u[:, 2] > 0.3)
    if kind == "mixed":
        at = np.arange(columns) % 4
        u = np.where(at == 1, np.floor(8 * u * u * u), u)
        u = np.where(at == 2, u < 0.1, u)
        u = np.where((at == 3) & (u < 0.2), np.nan, u)
    return u.astype(np.float32), y.astype(int)


def measure(repeats):
    for kind in ("dense", "mixed"):
        x, y = table(40_000, kind)
        half = 20_000
        times, cpu = [], []
        for _ in range(repeats):
            model = HistGradientBoostingClassifier(
                learning_rate=0.1, max_iter=100, max_leaf_nodes=31, min_samples_leaf=20, max_bins=255, early_stopping=False)
            start, busy = time.perf_counter(), time.process_time()
            model.fit(x[:half], y[:half])
            times.append(time.perf_counter() - start)
            cpu.append(time.process_time() - busy)
        start = time.perf_counter()
        scores = model.predict_proba(x[half:])[:, 1]
        predict = time.perf_counter() - start
        print(f"{kind:5}: fit {sorted(times)[0]:.3f} s fastest, {sorted(times)[len(times) // 2]:.3f} s median of {repeats}, "
              f"processor {min(cpu):.2f} s; "
              f"score {1e6 * predict / half:.2f} us/row; log loss {log_loss(y[half:], scores):.5f}, "
              f"AUC {roc_auc_score(y[half:], scores):.5f}; scikit-learn {sklearn.__version__}, "
              f"{os.environ['OMP_NUM_THREADS']} threads, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["fixture"] and len(sys.argv) == 3:
        fixture(sys.argv[2])
    elif sys.argv[1:2] == ["time"]:
        measure(int(sys.argv[2]) if len(sys.argv) > 2 else 5)
    else:
        sys.exit(__doc__)
