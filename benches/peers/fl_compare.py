#!/usr/bin/env python3
"""Time our rounds beside the peers of fl_peers.py: equal data, equal initial weights, one run, one table.

Setup : cargo build --release -p equipoise-benches --bin fl_round
        python3 -m venv V && V/bin/pip install numpy psutil torch "flwr[simulation]" pfl
Run   : V/bin/python benches/peers/fl_compare.py A            (or B, A8, B100k; see SETUPS)
        V/bin/python benches/peers/fl_compare.py A --peers numpy,torch-bmm --repeats 5
Peers run one after another, ours before each of them, so that a busy neighbour meets both; the figure of each is its least
processor seconds a round (user and system, whole process tree, after round 1) over the repeats.
Gate  : an area under the curve within .003 of ours; a peer beyond it is marked and the exit status is 1.
"""
import argparse, json, os, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
# Clients, rows, batch, cohort, rounds; and how much faster than each peer we want to be.
SETUPS = {
    "A": (dict(clients=200, rows=250, batch=50, cohort=20, rounds=20),
          {"numpy": 2, "torch-bmm": 2, "pfl": 10, "flwr": 30, "flwr-np": 30}),
    "A8": (dict(clients=200, rows=250, batch=8, cohort=20, rounds=20), {"torch": 25}),
    "B": (dict(clients=5000, rows=50, batch=50, cohort=500, rounds=6),
          {"numpy": 2, "pfl": 15, "flwr-np": 250, "flwr": 250}),
    "B100k": (dict(clients=100_000, rows=50, batch=50, cohort=500, rounds=6), {}),
}
ALL = ["numpy", "torch-bmm", "torch", "pfl", "flwr-np", "flwr"]

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("setup", choices=SETUPS)
ap.add_argument("--peers", default="numpy,torch-bmm,torch", help="comma-separated, of " + ",".join(ALL))
ap.add_argument("--repeats", type=int, default=3)
ap.add_argument("--threads", type=int, default=1, help="threads of ours (the peers keep one a process)")
ap.add_argument("--binary", default=os.path.join(HERE, "../../target/release/fl_round"))
ap.add_argument("--json", default="", help="file that every line is added to")
A = ap.parse_args()
SIZES, WANTED = SETUPS[A.setup]

# Some machines pin an old kernel for OpenBLAS; a floor should run on its best one.
ENV = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}


def arguments():
    return [part for key, value in SIZES.items() for part in (f"--{key}", str(value))]


def last_line(command):
    done = subprocess.run(command, env=ENV, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    line = json.loads([part for part in done.stdout.splitlines() if part.startswith("{")][-1])
    if A.json:
        with open(A.json, "a") as out:
            out.write(json.dumps(line) + "\n")
    return line


def peer(name, *more):
    return [sys.executable, os.path.join(HERE, "fl_peers.py"), "--framework", name, *arguments(), *more]


def blas_peak():
    """GFLOP a processor second of NumPy's product of 1024 x 1024 on one thread: what this core can do, by somebody else's code."""
    code = ("import numpy as np, time\n"
            "a = np.random.default_rng(1).random((1024, 1024), dtype='f4')\n"
            "best = 9.0\n"
            "for _ in range(20):\n"
            "    t = time.process_time(); a @ a; best = min(best, time.process_time() - t)\n"
            "print(2 * 1024 ** 3 / best * 1e-9)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**ENV, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    return float(done.stdout)


def flop():
    """Of a round's matrix products: no gradient by the features, two products forward and backward elsewhere."""
    layers = [(64, 128), (128, 64), (64, 1)]
    forward = sum(2 * a * b for a, b in layers)
    row = 2 * forward + sum(2 * a * b for a, b in layers[1:])
    return row * SIZES["rows"] * SIZES["cohort"]


def main():
    peers = [name for name in A.peers.split(",") if name]
    assert all(name in ALL for name in peers), f"peers are of {ALL}"
    print(f"set-up {A.setup}: {SIZES}, load {os.getloadavg()[0]:.1f}, {time.strftime('%F %T')}")
    best, seen, wrong = {}, {}, False
    with tempfile.TemporaryDirectory() as data:
        subprocess.run(peer("numpy", "--dump", data), env=ENV, check=True)
        ours = [A.binary, *arguments(), "--threads", str(A.threads), "--data", data]
        for _ in range(A.repeats):
            for name in peers or [""]:
                for who, command in (("ours", ours), (name, peer(name))):
                    if not who:
                        continue
                    line = last_line(command)
                    best[who] = min(best.get(who, 9e9), line["cpu_round_s"])
                    seen[who] = line
    peak = blas_peak()
    speed = flop() / best["ours"] * 1e-9
    print(f"{'':10} {'CPU ms a round':>15} {'ratio':>8} {'wanted':>7} {'AUC':>7} {'MiB':>6} {'start s':>8}")
    for who, line in seen.items():
        auc = line.get("auc", line.get("test_auc"))
        memory = line.get("peak_rss_mib") or line.get("peak_pss_mib")
        ratio = best[who] / best["ours"]
        near = abs(auc - seen["ours"]["auc"]) <= 0.003
        wrong |= not near
        print(f"{who:10} {best[who] * 1e3:15.2f} {ratio:7.1f}x {WANTED.get(who, ''):>7} {auc:7.4f} {memory:6.0f} "
              f"{line['startup_s']:8.2f}{'' if near else '   AUC differs'}")
    print(f"products of a round alone: {speed:.0f} GFLOP/s of ours over the whole round, NumPy's product of 1024^3 {peak:.0f} "
          f"({speed / peak:.0%}); load {os.getloadavg()[0]:.1f}")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
