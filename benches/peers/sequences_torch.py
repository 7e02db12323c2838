"""PyTorch beside equipoise_model's models over sequences, on the same numbers and weights.

  python sequences_torch.py                      times a training step, [64 rows, 128 steps, 16 features], hidden 32, SGD, one thread
  python sequences_torch.py fixture crates/equipoise-model/tests/fixtures/sequences_torch.json
      writes weights, sequences and the peer's scores of both models, which the test `sequences_torch` compares with
  python sequences_torch.py load MODEL.safetensors SEQUENCES.json
      loads a published model into torch.nn.GRU and prints its scores of sequences of step features

Compare with `cargo run --release -p equipoise-model --example gru`, in the same minute: the two lines `losses` must agree to five
digits, and the ratio of processor milliseconds is the figure. Every number is a function of its address (SplitMix64).
Needs torch and numpy; `load` reads the file by hand.
"""
import json, os, struct, sys, time

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
ROWS, STEPS, COLUMNS, HIDDEN = 64, 128, 16, 32


def uniform(address):
    """24 random bits as a number in [-1, 1), exact in single precision."""
    with np.errstate(over="ignore"):
        z = np.asarray(address, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0).astype(np.float32)


class Net(nn.Module):
    def __init__(self, columns, hidden):
        super().__init__()
        self.gru, self.head = nn.GRU(columns, hidden, batch_first=True), nn.Linear(hidden, 1)

    def forward(self, x):
        return self.head(self.gru(x)[0][:, -1])


def flat(net, weights):
    """Fills a net from our flat vector: each layer's weight [inputs, outputs], then its bias."""
    at, gates = 0, 3 * net.gru.hidden_size
    for weight, bias, inputs, outputs in (
        (net.gru.weight_ih_l0, net.gru.bias_ih_l0, net.gru.input_size, gates),
        (net.gru.weight_hh_l0, net.gru.bias_hh_l0, net.gru.hidden_size, gates),
        (net.head.weight, net.head.bias, net.gru.hidden_size, 1),
    ):
        with torch.no_grad():
            weight.copy_(torch.from_numpy(weights[at : at + inputs * outputs].reshape(inputs, outputs).T.copy()))
            at += inputs * outputs
            bias.copy_(torch.from_numpy(weights[at : at + outputs]))
            at += outputs


class Encoder(nn.Module):
    def __init__(self, columns, width, heads, wide, layers):
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, heads, wide, dropout=0.0, batch_first=True, norm_first=True)
        self.embed, self.head, self.width = nn.Linear(columns, width), nn.Linear(width, 1), width
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)

    def forward(self, x):
        """One sequence at a time: what a batch may not change. Places count back from the latest step."""
        back = torch.arange(x.shape[1] - 1, -1, -1, dtype=torch.float64)[:, None]
        column = torch.arange(self.width)
        angle = back / 10_000.0 ** (2.0 * (column // 2) / self.width)
        places = torch.where(column % 2 == 0, angle.sin(), angle.cos()).float()
        return self.head(self.encoder(self.embed(x) + places).mean(1))


def fixture(path):
    torch.manual_seed(1)
    lengths, columns, out = [1, 6, 3, 6, 2], 3, []
    sequences = [torch.randn(length, columns).mul(64).round().div(64) for length in lengths]
    for spec, net in (
        ({"gru": {"hidden": 5}}, Net(columns, 5)),
        ({"transformer": {"width": 6, "heads": 2, "feed-forward": 7, "layers": 2}}, Encoder(columns, 6, 2, 7, 2)),
    ):
        net.eval()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.2)
            scores = [torch.sigmoid(net(steps[None])).item() for steps in sequences]
        state = [{"name": n, "shape": list(t.shape), "values": t.flatten().tolist()} for n, t in net.state_dict().items()]
        out.append({"model": spec, "columns": columns, "state": state, "scores": scores})
    with open(path, "w") as file:
        json.dump({"sequences": [s.tolist() for s in sequences], "models": out}, file)


def bench():
    x = torch.from_numpy(uniform(np.arange(ROWS * STEPS * COLUMNS)).reshape(ROWS, STEPS, COLUMNS))
    y = (torch.arange(ROWS) % 2).float()[:, None]
    net = Net(COLUMNS, HIDDEN)
    count = sum(p.numel() for p in net.parameters())
    flat(net, np.float32(0.17) * uniform(1_000_000 + np.arange(count)))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss = F.binary_cross_entropy_with_logits(net(x), y)
        loss.backward()
        optimiser.step()
        return loss.item()

    losses = [step() for _ in range(21)]
    print(f"losses {losses[0]:.6f} {losses[-1]:.6f}")
    windows = []
    for _ in range(40):
        start = time.process_time()
        for _ in range(3):
            step()
        windows.append((time.process_time() - start) * 1e3 / 3)
    with torch.inference_mode():
        score = []
        for _ in range(20):
            start = time.process_time()
            for _ in range(3):
                net(x)
            score.append((time.process_time() - start) * 1e3 / 3)
    windows.sort()
    print(f"torch {torch.__version__}: training step {windows[0]:.3f} ms (median {windows[20]:.3f}), scoring {min(score):.3f} ms")


def load(path, sequences):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    state = {}
    for name, about in header.items():
        if name.startswith("global."):
            start, end = about["data_offsets"]
            values = np.frombuffer(data[start:end], dtype="<f4").reshape(about["shape"])
            state[name[len("global.") :]] = torch.from_numpy(values.copy())
    hidden, columns = state["gru.weight_hh_l0"].shape[1], state["gru.weight_ih_l0"].shape[1]
    net = Net(columns, hidden)
    net.load_state_dict(state, strict=True)
    with torch.inference_mode():
        for steps in json.load(open(sequences)):
            print(f"{torch.sigmoid(net(torch.tensor([steps], dtype=torch.float32))).item():.7f}")


if __name__ == "__main__":
    {"load": load, "fixture": fixture}.get((sys.argv + [""])[1], bench)(*sys.argv[2:])
