#!/usr/bin/env python3
"""Times pyarrow writing the same events that equipoise-store writes, one thread, on the same machine.

    cargo run --release -p equipoise-store --example parts -- DATASET     # ours, prints rows/s and bytes a row
    python benches/peers/parquet_pyarrow.py DATASET                       # pyarrow's, on the same rows

Both read one platform's log into memory first and time encoding alone, into memory, best of the repetitions, by processor time
(a shared machine makes wall time mean little). pyarrow is timed with its defaults and with the encodings that we use.
Needs pyarrow; nothing here is a dependency of Equipoise.
"""

import argparse
import glob
import time

import pyarrow as pa
import pyarrow.parquet as pq

# What crates/equipoise-store/src/dataset/part.rs does.
SMALL = ["time", "kind"]
PACKED = ["actor", "peer", "surface", "count", "media", "mutuals", "detail"]

SETTINGS = {
    "pyarrow, defaults (dictionary everywhere, snappy)": {"compression": "snappy"},
    "pyarrow, our encodings, snappy": {
        "compression": "snappy",
        "use_dictionary": SMALL,
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name in PACKED},
    },
    "pyarrow, our encodings, zstd 1": {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": SMALL,
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name in PACKED},
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--platform", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    paths = sorted(glob.glob(f"{given.dataset}/platform={given.platform}/table=events/block=*/week=*.parquet"))
    parts = [pq.read_table(path, use_threads=False, partitioning=None).combine_chunks() for path in paths]
    rows = sum(part.num_rows for part in parts)
    print(f"{len(parts)} parts, {rows} rows; pyarrow {pa.__version__}")
    for name, options in SETTINGS.items():
        best, size = float("inf"), 0
        for _ in range(given.repeat):
            sinks = [pa.BufferOutputStream() for _ in parts]
            start = time.process_time()
            for part, sink in zip(parts, sinks):
                pq.write_table(part, sink, row_group_size=1 << 20, write_page_index=False, **options)
            best = min(best, time.process_time() - start)
            size = sum(sink.getvalue().size for sink in sinks)
        print(f"{name:<52} {rows / best / 1e6:6.2f} M rows/s cpu  {size / rows:6.2f} bytes a row")


if __name__ == "__main__":
    main()
