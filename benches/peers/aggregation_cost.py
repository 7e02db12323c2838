"""The table of what each way of hiding a sum costs: every scheme, 3, 5 and 50 parties, 10,000 and 100,000 parameters, one thread.

  cargo build --release -p equipoise-benches --bins --features prio3,high-level-fhe
  python3 benches/peers/aggregation_cost.py target/release/secure_sum [--quick]

A cell is processor milliseconds of each seat in a round, bytes a parameter, and whether the opened sum was the integer sum. The naive scheme runs at two
parameters (a second of processor time each) and Prio3 at 1,000: their rows are multiplied up and marked [x]. Schemes that this build lacks are
skipped with a message; a plan that is refused is printed with its reason. `--quick` keeps to 3 parties and 10,000 parameters.
"""
import json, os, subprocess, sys

TOTAL = ["--smudged-rounds", "1000"]
SCHEMES = [("plain", [], None), ("shared-key", [], None), ("one-shot", TOTAL, None), ("one-shot", [], None), ("masked", [], None),
           ("joint-key", [], None), ("joint-key", TOTAL, None), ("prio3", ["--bits", "8", "--rounds", "1"], 1000), ("naive-fheint", ["--rounds", "1"], 2)]
SEATS = ["client_cpu_s", "server_cpu_s", "key_holder_cpu_s", "open_cpu_s"]


def row(binary, scheme, more, most, parties, size):
    at = min(size, most or size)
    done = subprocess.run([binary, "--scheme", scheme, "--parties", str(parties), "--len", str(at), *more], capture_output=True, text=True)
    name = scheme + (" (total)" if more == TOTAL else "")
    if done.returncode:
        return f"| {name} | {parties} | {size:,} | {done.stdout.strip() or done.stderr.strip()[-200:]} | | | | | |"
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["exact"], line
    # Adding, sealing and opening are linear in the parameters beyond a thousand of them; bytes are a parameter's already.
    scale, mark = size / at, " [x]" if at < size else ""
    cells = [f"{1e3 * scale * line[seat]:,.2f}{mark}" for seat in SEATS]
    return f"| {name} | {parties} | {size:,} | " + " | ".join(cells) + f" | {line['upload_bytes_per_param']:,.2f} | yes |"


if __name__ == "__main__":
    binary, quick = sys.argv[1], "--quick" in sys.argv
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print("| scheme | parties | parameters | client ms | server ms | key holder ms | opening ms | B/param | exact |")
    print("|---|---|---|---|---|---|---|---|---|")
    for size in [10_000] if quick else [10_000, 100_000]:
        for parties in [3] if quick else [3, 5, 50]:
            for scheme, more, most in SCHEMES:
                if scheme == "naive-fheint" and parties > 5:
                    continue  # A quarter of a minute a parameter: the figure of five parties says enough.
                print(row(binary, scheme, more, most, parties, size), flush=True)
