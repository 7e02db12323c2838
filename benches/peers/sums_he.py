"""TenSEAL's CKKS and python-paillier beside our secure sums, in one run: what does a client pay, what does it send?

  python3 -m venv /tmp/he && /tmp/he/bin/pip install tenseal phe numpy
  cargo build --release -p equipoise-benches --bin secure_sum
  /tmp/he/bin/python benches/peers/sums_he.py target/release/secure_sum [len] [parties]

Processor seconds of one process (TenSEAL on one thread), the fastest of three, vectors of integers of 12 signed bits. Bytes are those of
the peer's own serialisation. CKKS opens real numbers with an error, which is printed; Paillier packs 22-bit slots, and is measured on a
few ciphertexts and multiplied up (marked). A peer that is not installed is skipped with a message. The last lines are the ratios.
"""
import json, os, subprocess, sys, time

BINARY = sys.argv[1]
LEN = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
PARTIES = int(sys.argv[3]) if len(sys.argv) > 3 else 50
BITS = 12


def fastest(work, times=3):
    best, value = float("inf"), None
    for _ in range(times):
        start = time.process_time()
        value = work()
        best = min(best, time.process_time() - start)
    return best, value


def ours(scheme, *more):
    arguments = [BINARY, "--scheme", scheme, "--parties", str(PARTIES), "--len", str(LEN), "--bits", str(BITS), *more]
    lines = [json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout) for _ in range(3)]
    assert all(line["exact"] for line in lines)
    line = min(lines, key=lambda line: line["client_cpu_s"])
    name = scheme + (" (smudged for 1,000 rounds in all)" if more else "")
    return dict(scheme=name, client_cpu_s=line["client_cpu_s"], server_cpu_s=line["server_cpu_s"],
                open_cpu_s=line["open_cpu_s"], upload_bytes_per_param=line["upload_bytes_per_param"], exact=True)


def vectors(count):
    import numpy as np

    rng = np.random.default_rng(1)
    most = 2 ** (BITS - 1) - 1
    return [rng.integers(-most, most + 1, LEN) for _ in range(count)]


def ckks(size, bits, scale):
    import numpy as np
    import tenseal as ts

    context = ts.context(ts.SCHEME_TYPE.CKKS, size, coeff_mod_bit_sizes=bits, n_threads=1)
    context.global_scale = 2.0**scale
    slots, values = size // 2, vectors(2)

    def seal(vector):
        real = (vector / 2 ** (BITS - 1)).tolist()
        parts = [ts.ckks_vector(context, real[at : at + slots]) for at in range(0, LEN, slots)]
        return [part.serialize() for part in parts]

    client, first = fastest(lambda: seal(values[0]))
    second = seal(values[1])
    read = lambda message: [ts.ckks_vector_from(context, part) for part in message]
    sums, other = read(first), read(second)

    def add():
        for mine, theirs in zip(sums, other):
            mine += theirs

    once, _ = fastest(add, 1)
    opened, plain = fastest(lambda: np.concatenate([part.decrypt() for part in sums])[:LEN])
    error = np.abs(plain * 2 ** (BITS - 1) - values[0] - values[1]).max()
    return dict(scheme=f"TenSEAL CKKS N={size} {bits}", client_cpu_s=client, server_cpu_s=once * PARTIES, open_cpu_s=opened,
                upload_bytes_per_param=sum(map(len, first)) / LEN, exact=False, error_in_steps=float(error))


def paillier(bits, ciphertexts=12, slot=22):
    from phe import paillier as scheme

    public, private = scheme.generate_paillier_keypair(n_length=bits)
    per = (bits - 8) // slot
    packed = [sum(int(v + 2 ** (BITS - 1)) << (slot * at) for at, v in enumerate(vector[: per * ciphertexts][at * per : (at + 1) * per]))
              for vector in vectors(1) for at in range(ciphertexts)]
    client, sealed = fastest(lambda: [public.raw_encrypt(message) for message in packed], 1)
    square = public.nsquare
    add, _ = fastest(lambda: [one * one % square for one in sealed])
    opened, plain = fastest(lambda: [private.raw_decrypt(one) for one in sealed], 1)
    assert plain == packed
    share = LEN / (per * ciphertexts)
    return dict(scheme=f"python-paillier {bits} bit, packed [x{share:.0f}]", client_cpu_s=client * share, server_cpu_s=add * share * PARTIES,
                open_cpu_s=opened * share, upload_bytes_per_param=2 * bits / 8 / per, exact=True)


def peer(run, *arguments):
    try:
        return [run(*arguments)]
    except ImportError as missing:
        print(f"skipped: {missing}; see the head of this file")
        return []


if __name__ == "__main__":
    mine = [ours("plain"), ours("one-shot", "--smudged-rounds", "1000"), ours("one-shot"), ours("masked"), ours("shared-key")]
    rows = mine + peer(ckks, 8192, [60, 40, 60], 40) + peer(ckks, 4096, [36, 36, 37], 30) + peer(paillier, 2048) + peer(paillier, 3072)
    print(f"{LEN} parameters, {PARTIES} parties, load {os.getloadavg()[0]:.1f}")
    for row in rows:
        print(json.dumps(row))
    default = mine[1]
    for row in rows[len(mine):]:
        cpu, size = (row[key] / default[key] for key in ("client_cpu_s", "upload_bytes_per_param"))
        print(f"{row['scheme']}: {cpu:.0f} times the client's processor time and {size:.1f} times the bytes of {default['scheme']}")
