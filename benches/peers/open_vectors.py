"""Opens recorded vectors of our sums and of the fusion without a line of our code: NumPy, the BLAKE3 of its own package, and X25519,
ChaCha20 and Shamir's interpolation written out below from RFC 7748, RFC 8439 and the definition.

  python3 -m venv /tmp/open && /tmp/open/bin/pip install numpy blake3
  cargo run --release -p equipoise-encrypted --example vectors > vectors.json
  /tmp/open/bin/python benches/peers/open_vectors.py vectors.json

Reads the messages as they travelled, adds ciphertexts and answers, multiplies by the public masks with schoolbook arithmetic (exact integers,
through NumPy's 64-bit words), rounds, takes slots apart, and holds the result against the sum that our code opened. Masks come off by
rebuilding, from the survivors' shares, the seeds of those in the sum and the mask key of the one that dropped out. A wrong bit anywhere
gives noise, so that the last step of the script flips one of each scheme and expects to fail.
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


def derive(context, *parts):
    return blake3(b"".join(parts), derive_key_context=context)


def shared_key(vector):
    """One binary key, made from the recorded seed as `entropy.rs` says; a mask for each upload, bound to its header."""
    size, layout = vector["polynomial_size"], vector["layout"]
    count = -(-vector["len"] // layout[0])
    at = blake3(b"at" + struct.pack("<Q", 0) + b"key", key=bytes.fromhex(vector["key_seed"])).digest()
    key = [byte & 1 for byte in blake3(b"fill", key=at).digest(length=size)]
    bodies, streams = np.zeros(count, dtype=np.uint64), []
    for client, message in enumerate(bytes.fromhex(text) for text in vector["uploads"]):
        magic, params, session, round, payload = frame(message)
        assert magic == b"EQGL" and struct.unpack_from("<II", payload) == (client, 1)
        assert struct.unpack_from("<Q", payload, 40)[0] == count
        bodies += np.frombuffer(payload, dtype="<u8", count=count, offset=48)
        header = [struct.pack("<H", params), session, struct.pack("<I", round), payload[:40]]
        streams.append(derive("equipoise-encrypted 2026-11-23 glwe mask v1", *header))
    opened = []
    for at in range(0, count, size):
        part = bodies[at : at + size]
        words = (np.frombuffer(stream.digest(length=8 * size, seek=8 * at), dtype="<u8") for stream in streams)
        phase = part - product(sum(words, np.zeros(size, dtype=np.uint64)), key)[: len(part)]
        values, error = slots(map(int, phase), layout, 64)
        assert error <= 8 * vector["clients"], "the sum of updates does not open"
        opened += values
    (answer,) = vector["answers"]
    magic, _, _, _, payload = frame(bytes.fromhex(answer))
    assert magic == b"EQGS"
    rounded = [int(word) << layout[2] for word in np.frombuffer(payload[32:], dtype="<i8")]
    assert slots((word % (1 << 64) for word in rounded), layout, 64)[0] == opened, "the holder answered another sum"
    return opened[: vector["len"]]


PRIME, CURVE = 2**61 - 1, 2**255 - 19


def x25519(scalar, point):
    """RFC 7748, the Montgomery ladder."""
    k = int.from_bytes(scalar, "little") & ~7 & (1 << 255) - 1 | 1 << 254
    x1 = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3 = 1, 0, x1, 1
    for bit in range(254, -1, -1):
        swap = k >> bit & 1
        if swap:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = (x2 + z2) % CURVE, (x2 - z2) % CURVE, (x3 + z3) % CURVE, (x3 - z3) % CURVE
        x3, z3 = (d * a + c * b) ** 2 % CURVE, x1 * (d * a - c * b) ** 2 % CURVE
        aa, bb = a * a % CURVE, b * b % CURVE
        e = aa - bb
        x2, z2 = aa * bb % CURVE, e * (aa + 121665 * e) % CURVE
        if swap:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, CURVE - 2, CURVE) % CURVE).to_bytes(32, "little")


def chacha20(seed, count):
    """Bytes of ChaCha20 with a 64-bit counter from zero and no nonce, all blocks at once."""
    blocks = -(-count // 64)
    start = [np.full(blocks, word, dtype=np.uint32) for word in struct.unpack("<16I", b"expand 32-byte k" + seed + bytes(16))]
    start[12] = np.arange(blocks, dtype=np.uint32)
    x = [word.copy() for word in start]
    turn = lambda word, by: word << np.uint32(by) | word >> np.uint32(32 - by)
    for _ in range(10):
        for a, b, c, d in [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]:
            for to, by, turned, bits in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
                x[to] += x[by]
                x[turned] = turn(x[turned] ^ x[to], bits)
    return np.stack([word + first for word, first in zip(x, start)], axis=1).astype("<u4").tobytes()[:count]


def rebuild(shares):
    """The 32 bytes of shares `(point, five limbs)`: Lagrange at zero, seven bytes a limb."""
    limbs = [0] * 5
    for point, share in shares:
        factor = 1
        for other, _ in shares:
            if other != point:
                factor = factor * (other + 1) * pow(other - point, PRIME - 2, PRIME) % PRIME
        limbs = [(limb + factor * own) % PRIME for limb, own in zip(limbs, share)]
    return b"".join(limb.to_bytes(8, "little")[:7] for limb in limbs)[:32]


def masked(vector):
    word = np.dtype(f"<u{vector['word_bytes']}")
    adverts, total, here = {}, np.zeros(vector["len"], dtype=word), []
    for message in map(bytes.fromhex, vector["adverts"]):
        magic, _, session, round, payload = frame(message)
        assert magic == b"EQMA"
        adverts[struct.unpack_from("<I", payload)[0]] = payload[36:68], payload[68:100]
    for message in map(bytes.fromhex, vector["uploads"]):
        magic, _, _, _, payload = frame(message)
        assert magic == b"EQMU"
        here.append(struct.unpack_from("<I", payload)[0])
        total += np.frombuffer(payload, dtype=word, offset=8)
    shares = {client: [] for client in adverts}
    for message in map(bytes.fromhex, vector["answers"]):
        magic, _, _, _, payload = frame(message)
        client, count = struct.unpack_from("<II", payload)
        assert magic == b"EQMS"
        for at in range(count):
            owner, *share = struct.unpack_from("<I5Q", payload, 8 + 44 * at)
            shares[owner].append((client, share))
    mask = lambda seed: np.frombuffer(chacha20(seed, total.nbytes), dtype=word)
    for client, (public, seed_hash) in adverts.items():
        assert len(shares[client]) >= vector["threshold"]
        secret = rebuild(shares[client][: vector["threshold"]])
        if client in here:
            assert derive("equipoise-encrypted 2026-11-27 own mask seed v1", secret).digest() == seed_hash, "another seed than was published"
            total -= mask(secret)
            continue
        assert x25519(secret, (9).to_bytes(32, "little")) == public, "another key than was published"
        for other in here:
            pair = x25519(secret, adverts[other][0])
            seed = derive("equipoise-encrypted 2026-11-27 pairwise mask v1", pair, session, struct.pack("<I", round)).digest()
            total = total - mask(seed) if client > other else total + mask(seed)
    return total.view(np.dtype(f"<i{vector['word_bytes']}")).tolist()


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
    opener = {"one-shot": one_shot, "joint-key": joint_key, "pairwise-masking": masked, "shared-key-glwe": shared_key, "fusion": fusion}
    for vector in vectors:
        want = vector["values" if vector["scheme"] == "fusion" else "sum"]
        assert opener[vector["scheme"]](vector) == want, vector["scheme"]
        print(f"{vector['scheme']}: {len(want)} values, every one as our code opened it")
    # The highest byte of an answer's first word, of a share's first limb, of a rounded coefficient.
    for scheme, at in [("one-shot", FRAME + 36 + 15), ("joint-key", FRAME + 36 + 15), ("pairwise-masking", FRAME + 12 + 5), ("shared-key-glwe", FRAME + 32 + 5)]:
        changed = next(vector for vector in vectors if vector["scheme"] == scheme)
        answer = bytearray.fromhex(changed["answers"][0])
        answer[at] ^= 0x10
        changed["answers"][0] = answer.hex()
        try:
            noticed = opener[scheme](changed) != changed["sum"] and "another sum"
        except AssertionError as refused:
            noticed = refused
        assert noticed, f"{scheme}: a flipped bit went unnoticed"
        print(f"{scheme}, one bit of an answer flipped: {noticed}")
