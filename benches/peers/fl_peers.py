#!/usr/bin/env python3
"""Time one FedAvg simulation in several FL frameworks on identical synthetic tabular data.

Peers      : pfl (apple/pfl-research, PyTorch model), flwr (Flower + Ray, torch client),
             flwr-np (Flower + Ray, NumPy client: no torch in the actors).
Floors     : torch (hand loop, one resident model), torch-bmm (cohort stacked, batched matmul),
             numpy (hand loop).  They show what "no framework" costs in the same language.
Task       : MLP features->hidden...->1, BCE-with-logits, plain SGD, FedAvg weighted by rows.
Setup      : python3 -m venv V && V/bin/pip install "flwr[simulation]" torch pfl psutil
Run        : V/bin/python fl_peer_bench.py --framework pfl   [--clients 200 --rows 250 ...]
             V/bin/torchrun --nproc_per_node 2 fl_peer_bench.py --framework pfl   (2 pfl workers)
Output     : one JSON line on stdout (last line); --json FILE appends it to FILE.
round_s    : wall seconds between ends of consecutive rounds; round 1 (warm-up) is left out of
             the mean/median, and reported apart.  startup_s: process start -> end of round 1,
             less one median round.  cpu_s: user+sys of the whole process tree; cpu_round_s: the same per
             round after round 1 (use this one when the machine is busy with other work).
"""
import argparse, json, os, sys, threading, time

T0 = time.time()
for k, v in {"FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0",
             "RAY_DISABLE_IMPORT_WARNING": "1", "RAY_DEDUP_LOGS": "1",
             "FLWR_DISABLE_UPDATE_CHECK": "1",
             "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}.items():
    os.environ.setdefault(k, v)

ap = argparse.ArgumentParser()
ap.add_argument("--framework", default="numpy",
                choices=["pfl", "flwr", "flwr-np", "torch", "torch-bmm", "numpy"])
ap.add_argument("--dump", default="", help="write the data and initial weights for fl_round there, and stop")
ap.add_argument("--clients", type=int, default=200)
ap.add_argument("--rows", type=int, default=250)
ap.add_argument("--features", type=int, default=64)
ap.add_argument("--hidden", default="128,64")
ap.add_argument("--batch", type=int, default=50)
ap.add_argument("--epochs", type=int, default=1)
ap.add_argument("--cohort", type=int, default=20)
ap.add_argument("--rounds", type=int, default=20)
ap.add_argument("--lr", type=float, default=0.1)
ap.add_argument("--seed", type=int, default=7)
ap.add_argument("--threads", type=int, default=1, help="BLAS/torch threads per process")
ap.add_argument("--actors", type=int, default=2, help="Ray actors (flwr only)")
ap.add_argument("--json", default="")
A = ap.parse_args()
for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[k] = str(A.threads)
import numpy as np  # noqa: E402

DIMS = [A.features] + [int(x) for x in A.hidden.split(",")] + [1]


def make_user(u):
    """Rows of one client: shared teacher + per-client covariate shift. Deterministic."""
    teacher = np.random.default_rng(A.seed)
    w1 = teacher.normal(size=(A.features, 16)).astype("f4") / np.sqrt(A.features)
    w2 = teacher.normal(size=(16,)).astype("f4")
    r = np.random.default_rng((A.seed, u))
    x = r.normal(size=(A.rows, A.features)).astype("f4") + 0.3 * r.normal(size=A.features).astype("f4")
    p = 1 / (1 + np.exp(-4 * np.tanh(x @ w1) @ w2))
    return x, (r.random(A.rows) < p).astype("f4")[:, None]


_CACHE = {}


def user(u):
    if u not in _CACHE:
        _CACHE[u] = make_user(u)
    return _CACHE[u]


def init_weights():
    r = np.random.default_rng(A.seed + 1)
    out = []
    for a, b in zip(DIMS[:-1], DIMS[1:]):
        k = 1 / np.sqrt(a)
        out += [r.uniform(-k, k, (b, a)).astype("f4"), r.uniform(-k, k, b).astype("f4")]
    return out


def batches(n):
    for _ in range(A.epochs):
        for i in range(0, n, A.batch):
            yield slice(i, min(i + A.batch, n))


def np_train(ws, x, y):
    ws = [w.copy() for w in ws]
    L = len(ws) // 2
    for s in batches(len(x)):
        acts = [x[s]]
        for i in range(L):
            z = acts[-1] @ ws[2 * i].T + ws[2 * i + 1]
            acts.append(np.maximum(z, 0) if i < L - 1 else z)
        d = (1 / (1 + np.exp(-acts[-1])) - y[s]) / len(y[s])
        for i in reversed(range(L)):
            gw, gb = d.T @ acts[i], d.sum(0)
            if i:
                d = (d @ ws[2 * i]) * (acts[i] > 0)
            ws[2 * i] -= A.lr * gw
            ws[2 * i + 1] -= A.lr * gb
    return ws


def np_auc(ws):
    x, y = zip(*[make_user(10**6 + i) for i in range(20)])
    x, y = np.concatenate(x), np.concatenate(y)[:, 0]
    for i in range(len(ws) // 2):
        x = x @ ws[2 * i].T + ws[2 * i + 1]
        if i < len(ws) // 2 - 1:
            x = np.maximum(x, 0)
    rank = np.empty(len(y)); rank[np.argsort(x[:, 0])] = np.arange(1, len(y) + 1)
    n1 = y.sum(); n0 = len(y) - n1
    return float((rank[y == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def dump(place):
    """Little-endian f32: x, y, tx, ty, and w0 in our layout (weight [inputs, outputs], then bias, layer by layer)."""
    os.makedirs(place, exist_ok=True)
    train, test = [make_user(u) for u in range(A.clients)], [make_user(10**6 + i) for i in range(20)]
    ws = init_weights()
    flat = [np.ascontiguousarray(w.T if w.ndim == 2 else w).ravel() for w in ws]
    parts = {"x": [x for x, _ in train], "y": [y for _, y in train], "tx": [x for x, _ in test],
             "ty": [y for _, y in test], "w0": flat}
    for name, arrays in parts.items():
        np.concatenate([a.ravel() for a in arrays]).astype("<f4").tofile(os.path.join(place, name + ".f32"))


class Sampler(threading.Thread):
    """Peak memory (sum of PSS, and of RSS) and CPU seconds of the process tree."""
    def __init__(self):
        super().__init__(daemon=True)
        import psutil
        self.ps, self.me = psutil, psutil.Process()
        self.pss = self.rss = self.procs = 0
        self.cpu = {}

    def once(self, full):
        rss = pss = n = 0
        for p in [self.me] + self.me.children(recursive=True):
            try:
                t = p.cpu_times(); self.cpu[p.pid] = t.user + t.system
                rss += p.memory_info().rss; n += 1
                if full:
                    pss += p.memory_full_info().pss
            except self.ps.Error:
                pass
        self.rss, self.pss, self.procs = max(self.rss, rss), max(self.pss, pss), max(self.procs, n)

    def run(self):
        i = 0
        while True:
            self.once(i % 4 == 0); i += 1
            time.sleep(0.25)


STAMPS = []   # wall clock at the end of each round
CPU = []      # CPU seconds of the process tree at the end of round 1 and of the last round


def tree_cpu():
    import psutil
    t = 0.0
    for p in [psutil.Process()] + psutil.Process().children(recursive=True):
        try:
            c = p.cpu_times(); t += c.user + c.system
        except psutil.Error:
            pass
    return t


def stamp():
    STAMPS.append(time.time())
    if len(STAMPS) in (1, A.rounds):
        CPU.append(tree_cpu())


def torch_model():
    import torch
    torch.set_num_threads(A.threads)
    layers = []
    for i, (a, b) in enumerate(zip(DIMS[:-1], DIMS[1:])):
        layers += [torch.nn.Linear(a, b)] + ([torch.nn.ReLU()] if i < len(DIMS) - 2 else [])
    m = torch.nn.Sequential(*layers)
    with torch.no_grad():
        for p, w in zip(m.parameters(), init_weights()):
            p.copy_(torch.from_numpy(w))
    return m


def cohorts():
    r = np.random.default_rng(A.seed + 2)
    for _ in range(A.rounds):
        yield r.choice(A.clients, A.cohort, replace=False)


def run_numpy():
    for u in range(A.clients): user(u)
    g = init_weights()
    for c in cohorts():
        acc = [np.zeros_like(w) for w in g]
        for u in c:
            for a, w in zip(acc, np_train(g, *user(u))): a += w
        g = [a / len(c) for a in acc]
        stamp()
    return g


def run_torch():
    import torch
    m = torch_model(); ps = list(m.parameters())
    data = [tuple(map(torch.from_numpy, user(u))) for u in range(A.clients)]
    lossf = torch.nn.functional.binary_cross_entropy_with_logits
    g = [p.detach().clone() for p in ps]; acc = [torch.zeros_like(p) for p in ps]
    for c in cohorts():
        for a in acc: a.zero_()
        for u in c:
            with torch.no_grad():
                for p, w in zip(ps, g): p.copy_(w)
            opt = torch.optim.SGD(ps, lr=A.lr); x, y = data[u]
            for s in batches(len(x)):
                opt.zero_grad(); lossf(m(x[s]), y[s]).backward(); opt.step()
            with torch.no_grad():
                for a, p in zip(acc, ps): a.add_(p)
        for w, a in zip(g, acc): w.copy_(a / len(c))
        stamp()
    return [w.numpy() for w in g]


def run_torch_bmm():
    import torch
    torch.set_num_threads(A.threads)
    X = torch.stack([torch.from_numpy(user(u)[0]) for u in range(A.clients)])
    Y = torch.stack([torch.from_numpy(user(u)[1]) for u in range(A.clients)])
    g = [torch.from_numpy(w) for w in init_weights()]; L = len(g) // 2
    for c in cohorts():
        x, y = X[c], Y[c]
        ps = [w.expand(len(c), *w.shape).clone() for w in g]
        with torch.no_grad():
            for s in batches(A.rows):
                acts = [x[:, s]]
                for i in range(L):
                    z = torch.baddbmm(ps[2 * i + 1][:, None, :], acts[-1], ps[2 * i].mT)
                    acts.append(z.relu_() if i < L - 1 else z)
                d = (torch.sigmoid(acts[-1]) - y[:, s]) / x[:, s].shape[1]
                for i in reversed(range(L)):
                    gw, gb = torch.bmm(d.mT, acts[i]), d.sum(1)
                    if i: d = torch.bmm(d, ps[2 * i]) * (acts[i] > 0)
                    ps[2 * i].sub_(gw, alpha=A.lr); ps[2 * i + 1].sub_(gb, alpha=A.lr)
            g = [p.mean(0) for p in ps]
        stamp()
    return [w.numpy() for w in g]


def run_pfl():
    import torch
    from pfl.aggregate.simulate import SimulatedBackend
    from pfl.aggregate.weighting import WeightByDatapoints
    from pfl.algorithm.base import NNAlgorithmParams
    from pfl.algorithm.federated_averaging import FederatedAveraging
    from pfl.callback.base import TrainingProcessCallback
    from pfl.data.dataset import Dataset
    from pfl.data.federated_dataset import FederatedDataset
    from pfl.data.sampling import get_user_sampler
    from pfl.hyperparam import NNEvalHyperParams, NNTrainHyperParams
    from pfl.metrics import Metrics, Weighted
    from pfl.model.pytorch import PyTorchModel
    np.random.seed(A.seed); torch.manual_seed(A.seed)
    m = torch_model()
    lossf = torch.nn.functional.binary_cross_entropy_with_logits
    m.loss = lambda x, y, **k: lossf(m(x), y)
    m.metrics = lambda x, y, **k: {"loss": Weighted(float(lossf(m(x), y)) * len(x), len(x))}
    model = PyTorchModel(model=m, local_optimizer_create=torch.optim.SGD,
                         central_optimizer=torch.optim.SGD(m.parameters(), 1.0))
    for u in range(A.clients): user(u)
    tens = {u: [torch.from_numpy(v) for v in user(u)] for u in range(A.clients)}
    fd = FederatedDataset(lambda u: Dataset(tens[u], user_id=u),
                          get_user_sampler("minimize_reuse", list(range(A.clients))))
    backend = SimulatedBackend(training_data=fd, val_data=fd, postprocessors=[WeightByDatapoints()])

    class Clock(TrainingProcessCallback):
        def after_central_iteration(self, aggregate_metrics, model, *, central_iteration):
            stamp()
            return False, Metrics()
    FederatedAveraging().run(
        algorithm_params=NNAlgorithmParams(central_num_iterations=A.rounds, evaluation_frequency=10**6,
                                           train_cohort_size=A.cohort, val_cohort_size=None),
        backend=backend, model=model,
        model_train_params=NNTrainHyperParams(local_num_epochs=A.epochs, local_learning_rate=A.lr,
                                              local_batch_size=A.batch),
        model_eval_params=NNEvalHyperParams(local_batch_size=None), callbacks=[Clock()])
    return [p.detach().numpy() for p in m.parameters()]


def run_flwr():
    from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
    from flwr.clientapp import ClientApp
    from flwr.serverapp import Grid, ServerApp
    from flwr.serverapp.strategy import FedAvg
    from flwr.simulation import run_simulation
    use_np = A.framework == "flwr-np"
    final = []
    client, server = ClientApp(), ServerApp()

    @client.train()
    def _train(msg: Message, ctx: Context) -> Message:
        x, y = user(int(ctx.node_config["partition-id"]))
        ws = msg.content["arrays"].to_numpy_ndarrays()
        if use_np:
            ws = np_train(ws, x, y)
        else:
            import torch
            global _M
            if "_M" not in globals(): _M = torch_model()
            ps = list(_M.parameters())
            with torch.no_grad():
                for p, w in zip(ps, ws): p.copy_(torch.from_numpy(w.copy()))
            xt, yt = torch.from_numpy(x), torch.from_numpy(y)
            opt = torch.optim.SGD(ps, lr=A.lr)
            for s in batches(len(x)):
                opt.zero_grad()
                torch.nn.functional.binary_cross_entropy_with_logits(_M(xt[s]), yt[s]).backward()
                opt.step()
            ws = [p.detach().numpy() for p in ps]
        return Message(content=RecordDict({"arrays": ArrayRecord(ws),
                                           "metrics": MetricRecord({"num-examples": len(x)})}), reply_to=msg)

    class Timed(FedAvg):
        def aggregate_train(self, server_round, replies):
            out = super().aggregate_train(server_round, replies)
            stamp()
            return out

    @server.main()
    def _main(grid: Grid, ctx: Context) -> None:
        s = Timed(fraction_train=A.cohort / A.clients, fraction_evaluate=0.0,
                  min_train_nodes=A.cohort, min_evaluate_nodes=0, min_available_nodes=A.clients)
        res = s.start(grid=grid, initial_arrays=ArrayRecord(init_weights()), num_rounds=A.rounds)
        final.append(res.arrays.to_numpy_ndarrays())
    run_simulation(server_app=server, client_app=client, num_supernodes=A.clients,
                   backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0},
                                   "init_args": {"num_cpus": A.actors, "include_dashboard": False,
                                                 "_node_ip_address": "127.0.0.1"}})
    return final[0]


def main():
    if A.dump:
        return dump(A.dump)
    s = Sampler(); s.start()
    fn = {"pfl": run_pfl, "flwr": run_flwr, "flwr-np": run_flwr, "torch": run_torch,
          "torch-bmm": run_torch_bmm, "numpy": run_numpy}[A.framework]
    load0 = os.getloadavg()[0]
    ws = fn()
    end = time.time(); s.once(True)
    d = np.diff(STAMPS); med, mean = float(np.median(d)), float(d.mean())
    out = {"framework": A.framework, "round_s_median": round(med, 5), "round_s_mean": round(mean, 5),
           "round_s_min": round(float(d.min()), 5), "round_s_max": round(float(d.max()), 5),
           "clients_per_s": round(A.cohort / med, 1),
           "samples_per_s": round(A.cohort * A.rows * A.epochs / med),
           "cpu_round_s": round((CPU[1] - CPU[0]) / (A.rounds - 1), 5),
           "startup_s": round(STAMPS[0] - T0 - med, 2), "total_s": round(end - T0, 2),
           "cpu_s": round(sum(s.cpu.values()), 2), "peak_pss_mib": round(s.pss / 2**20),
           "peak_rss_sum_mib": round(s.rss / 2**20), "procs": s.procs,
           "test_auc": round(np_auc([np.asarray(w) for w in ws]), 4), "load1": round(load0, 2),
           "args": {k: v for k, v in vars(A).items() if k not in ("framework", "json")}}
    if os.environ.get("RANK", "0") == "0":
        line = json.dumps(out)
        print(line, flush=True)
        if A.json:
            with open(A.json, "a") as f: f.write(line + "\n")


if __name__ == "__main__":
    main()
