"""A run's published models, read by the `safetensors` package and run by NumPy: do they give the scores that the run wrote?

  python published_scores.py RUN_DIR [CACHE_DIR]      (CACHE_DIR: where the run's worlds lie; RUN_DIR/../cache if not given)

Reads nothing of ours but files: `plan.json`, `model.safetensors` with the card in its header, the tested rows `test.parquet` and the scores
`scores.parquet`. Fails where a score differs by more than 1e-5, where a tensor of torch's layout does not load, or where there was nothing to check.
Needs numpy, safetensors and pyarrow.
"""
import json, sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from safetensors import safe_open

TOLERANCE = 1e-5


def columns_of(table, prefix):
    names = sorted(name for name in table.column_names if name[:1] == prefix and name[1:].isdigit())
    return np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float32)


def one_hot(rows, platforms, bins, scale):
    """As the card says: the documented range of each column mapped to 0..1, then not seen, exactly 0, and bins of equal width."""
    low, high = np.array(scale["ranges"], dtype=np.float32).T
    times = rows.shape[1] // len(low)
    unit = (rows - np.tile(low, times)) / np.tile(high - low, times)
    for platform, unseen in enumerate(scale["unseen"]):
        unit[np.ix_(platforms == platform, unseen)] = -1.0
    place = np.minimum((np.minimum(unit, 1) * np.float32(bins)).astype(np.int64), bins - 1) + 2
    place = np.where(unit > 0, place, np.where(unit < 0, 0, 1))
    out = np.zeros((rows.shape[0], rows.shape[1], bins + 2), dtype=np.float32)
    np.put_along_axis(out, place[:, :, None], 1.0, axis=2)
    return out.reshape(rows.shape[0], -1)


def logits(weights, name, rows):
    """torch.nn.Linear, ReLU, ... : weights are [outputs, inputs]."""
    depth = len([key for key in weights if key.startswith(f"{name}.layers.") and key.endswith(".weight")])
    for layer in range(depth):
        rows = rows @ weights[f"{name}.layers.{layer}.weight"].T + weights[f"{name}.layers.{layer}.bias"]
        if layer + 1 < depth:
            rows = np.maximum(rows, 0)
    return rows[:, 0].astype(np.float64)


def check(unit, directory, world):
    with safe_open(str(directory / "model.safetensors"), framework="numpy") as file:
        card = file.metadata()
        weights = {name: file.get_tensor(name) for name in file.keys()}
    test, scores = pq.read_table(world / "test.parquet"), pq.read_table(directory / "scores.parquet")
    case = test["case"].to_numpy()
    assert (case == scores["case"].to_numpy()).all() and (test["decision"].to_numpy() == scores["decision"].to_numpy()).all()
    platforms = pq.read_table(world / "cases.parquet")["platform"].to_numpy()[case]
    rows = columns_of(test, "f")
    if card["arm"] == "pooled-linked":
        rows = np.concatenate([rows, columns_of(test, "l")], axis=1)
    model = json.loads(card["model"])
    if "binned-logistic" in model:
        rows = one_hot(rows, platforms, model["binned-logistic"]["bins"], json.loads(card["scale"]))
    names = json.loads((world / "world.json").read_text())["platforms"]
    got = np.zeros(len(rows))
    for name in sorted({key.split(".layers.")[0] for key in weights}):
        of = slice(None) if name == "global" else platforms == names.index(name)
        got[of] = 1 / (1 + np.exp(-logits(weights, name, rows[of])))
    want = scores["risk_score"].to_numpy()
    error = float(np.abs(got - want).max())
    assert want.std() > 0, f"{unit['label']}: all scores are equal, so equality says nothing"
    assert error <= TOLERANCE, f"{unit['label']}: scores differ by {error}"
    return model, len(rows), error


def main(run, cache=None):
    run = Path(run)
    cache = Path(cache) if cache else run.parent / "cache"
    checked, worst = {}, 0.0
    for unit in json.loads((run / "plan.json").read_text())["units"]:
        directory = run / "units" / unit["id"]
        if unit["stage"] == "trial" and (directory / "model.safetensors").exists():
            model, rows, error = check(unit, directory, cache / "world" / unit["needs"][0])
            kind = next(iter(model))
            checked[kind] = checked.get(kind, 0) + rows
            worst = max(worst, error)
    assert "mlp" in checked and "binned-logistic" in checked, f"nothing to check: {checked}"
    print(f"published models give the run's scores: {checked} rows, largest difference {worst:.2e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
