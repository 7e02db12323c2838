"""Opens recorded vectors of our sums and of the fusion without a line of our code: NumPy and the BLAKE3 of its own package.

  python3 -m venv /tmp/open && /tmp/open/bin/pip install numpy blake3
  cargo run --release -p equipoise-encrypted --example vectors > vectors.json
  /tmp/open/bin/python benches/peers/open_vectors.py vectors.json

Reads the messages as they travelled, adds ciphertexts and answers, multiplies by the public masks with schoolbook arithmetic (exact integers,
through NumPy's 64-bit words), rounds, takes slots apart, and holds the result against the sum that our code opened. A wrong bit anywhere
gives noise, so that the last step of the script flips one and expects to fail.
"""
import json, struct, sys

import numpy as np
from blake3 import blake3

FRAME = 4 + 2 + 2 + 16 + 4


def frame(message):
    magic, version, params = struct.unpack_from("<4sHH", message)
    assert version == 1
    (round,) = struct.unpack_from("<I", message, 24)
    return magic, params, message[8:24], round, message[FRAME:]


def wide(payload):
    """Words of 128 bits as Python integers."""
    words = np.frombuffer(payload, dtype="<u8").reshape(-1, 2)
    return [int(low) | int(high) << 64 for low, high in words]


def slots(phases, layout, bits):
    """Rounds phases of `bits` bits and takes their slots apart: the integers, and the largest error."""
    count, width, delta = layout
    values, largest = [], 0
    for phase in phases:
        message = (phase + (1 << delta - 1)) % (1 << bits)
        message = (message if message < 1 << bits - 1 else message - (1 << bits)) >> delta
        error = (phase - (message << delta)) % (1 << bits)
        largest = max(largest, min(error, (1 << bits) - error))
        for _ in range(count):
            low = message % (1 << width)
            low = low if low < 1 << width - 1 else low - (1 << width)
            values.append(low)
            message = message - low >> width
    return values, largest


def product(mask, key):
    """mask(X) key(X) modulo X^N + 1 and 2^64: one rotation of the mask for each key coefficient, wrapping words."""
    size, out = len(mask), np.zeros(len(mask), dtype=np.uint64)
    turned = np.concatenate([-mask, mask])
    for power, coefficient in enumerate(key):
        if coefficient:
            out += turned[size - power : 2 * size - power] * np.uint64(coefficient % (1 << 64))
    return out


def answers(vector, count):
    total = [0] * count
    for holder, message in enumerate(bytes.fromhex(text) for text in vector["answers"]):
        magic, _, _, _, payload = frame(message)
        assert magic == b"EQOA" and struct.unpack_from("<I", payload)[0] == holder
        for at, word in enumerate(wide(payload[36:])):
            total[at] += word
    return total


def one_shot(vector):
    size, layout, key_layout = vector["polynomial_size"], vector["layout"], vector["key_layout"]
    bodies_len, key_len = -(-vector["len"] // layout[0]), -(-size // key_layout[0])
    bodies, phases = np.zeros(bodies_len, dtype=np.uint64), answers(vector, key_len)
    for client, message in enumerate(bytes.fromhex(text) for text in vector["uploads"]):
        magic, params, session, round, payload = frame(message)
        assert magic == b"EQOS" and struct.unpack_from("<II", payload) == (client, 1)
        bodies += np.frombuffer(payload, dtype="<u8", count=bodies_len, offset=8)
        for at, word in enumerate(wide(payload[8 + 8 * bodies_len :])[:key_len]):
            phases[at] += word
    keys, _ = slots([phase % (1 << 128) for phase in phases], key_layout, 128)
    keys = keys[:size]
    assert max(map(abs, keys)) <= 8 * vector["clients"], "the sum of keys is none"
    context = "equipoise-encrypted 2026-11-27 round masks v1"
    stream = blake3(struct.pack("<H", params) + session + struct.pack("<I", round), derive_key_context=context)
    opened = []
    for at in range(0, bodies_len, size):
        part = bodies[at : at + size]
        mask = np.frombuffer(stream.digest(length=8 * size, seek=8 * at), dtype="<u8")
        phase = part - product(mask, keys)[: len(part)]
        values, error = slots(map(int, phase), layout, 64)
        assert error <= 8 * vector["clients"], "the sum of updates does not open under the sum of keys"
        opened += values
    return opened[: vector["len"]]


def joint_key(vector):
    count = -(-vector["len"] // vector["layout"][0])
    phases = answers(vector, count)
    for client, message in enumerate(bytes.fromhex(text) for text in vector["uploads"]):
        magic, _, _, _, payload = frame(message)
        assert magic == b"EQJU" and struct.unpack_from("<II", payload) == (client, 1)
        for at, word in enumerate(wide(payload[8:])[:count]):
            phases[at] += word
    values, _ = slots([phase % (1 << 128) for phase in phases], vector["layout"], 128)
    return values[: vector["len"]]


def fusion(vector):
    """A flag is its body less all holders' shares, in equal intervals of the torus."""
    shift, opened = 64 - (vector["bands"] - 1).bit_length(), []
    for at, body in enumerate(bytes.fromhex(text) for text in vector["bodies"]):
        assert body[:6] == b"eqfuse" and len(body) == 26 + 72
        phase = int.from_bytes(body[-8:], "little")
        for holder in vector["shares"]:
            share = bytes.fromhex(holder[at])
            assert share[30:94] == body[26:90], "a share of another flag"
            phase -= int.from_bytes(share[-8:], "little")
        opened.append(phase % (1 << 64) >> shift)
    assert opened == [sum(total >= cut for cut in vector["cuts"]) for total in vector["sums"]], "not the rule at the sum"
    return opened


if __name__ == "__main__":
    vectors = json.load(open(sys.argv[1]))
    opener = {"one-shot": one_shot, "joint-key": joint_key, "fusion": fusion}
    for vector in vectors:
        want = vector["values" if vector["scheme"] == "fusion" else "sum"]
        assert opener[vector["scheme"]](vector) == want, vector["scheme"]
        print(f"{vector['scheme']}: {len(want)} values, every one as our code opened it")
    changed = next(vector for vector in vectors if vector["scheme"] == "one-shot")
    answer, at = bytearray.fromhex(changed["answers"][0]), FRAME + 36 + 15  # The highest byte of the first word.
    answer[at] ^= 0x10
    changed["answers"][0] = answer.hex()
    try:
        wrong = one_shot(changed) == changed["sum"]
    except AssertionError as refused:
        print(f"one bit of an answer flipped: {refused}")
    else:
        sys.exit(f"a flipped bit went unnoticed: {wrong}")
