"""MLflow reads what `equipoise export mlflow` wrote: usage `python mlflow_store.py STORE RUN_DIRECTORY`.

Migrates the file store with MLflow's own command into SQLite and compares what its client lists with the run's metrics.json: one run an arm,
every parameter, the whole history of every metric (a step a world), the artifacts byte for byte. Needs `pip install mlflow` (3.17 was tried).
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
store, run = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
folder = pathlib.Path(tempfile.mkdtemp())
uri = f"sqlite:///{folder}/mlflow.db"
subprocess.run(
    [pathlib.Path(sys.executable).with_name("mlflow"), "migrate-filestore", "--source", store / "mlruns", "--target", uri],
    check=True,
    stdout=subprocess.DEVNULL,
)

import mlflow  # noqa: E402  (slow to import: the command comes first)

client = mlflow.MlflowClient(tracking_uri=uri)
metrics = json.loads((run / "metrics.json").read_text())
experiment = client.get_experiment_by_name(metrics["name"])
assert experiment is not None, "the experiment is not listed"
runs = {found.info.run_name.split("/", 1)[1]: found for found in client.search_runs([experiment.experiment_id])}
assert set(runs) == {arm["id"] for arm in metrics["arms"]}, sorted(runs)
points = parameters = 0
for arm in metrics["arms"]:
    found = runs[arm["id"]]
    assert found.info.status == "FINISHED"
    assert found.data.params["plan"] == metrics["plan_id"]
    parameters += len(found.data.params)
    for metric, values in arm["per_seed"].items():
        known = [(world, value) for world, value in enumerate(values) if value is not None]
        if known:
            history = sorted((point.step, point.value) for point in client.get_metric_history(found.info.run_id, metric))
            assert history == known, (arm["id"], metric, history, known)
            points += len(history)
    listed = {entry.path for entry in client.list_artifacts(found.info.run_id)}
    assert {"report.html", "metrics.json", "experiment.toml"} <= listed, listed
    copy = client.download_artifacts(found.info.run_id, "metrics.json", str(folder))
    assert pathlib.Path(copy).read_bytes() == (run / "metrics.json").read_bytes()
print(f"mlflow {mlflow.__version__}: {len(runs)} runs, {parameters} parameters, {points} metric points, artifacts: all equal")
