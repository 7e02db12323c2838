"""Runs every query of docs/how-to/sql.md on a run's files: usage `python sql_files.py PAGE RUN_DIRECTORY VALUES.csv`.

Each `sql` block is one DuckDB query, each `python` block is Polars. Blocks may not fail and may not come back empty; afterwards counts and means
are held against the run's own numbers, so that a column that was renamed or a value that moved is found. Needs `pip install duckdb polars pytz`.
"""

import json
import os
import pathlib
import re
import sys

import duckdb
import polars as pl

page, run, values = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
text = page.read_text()
os.chdir(run.parent.parent)  # The page speaks from the folder that holds `runs`.
if not pathlib.Path("values.csv").exists():
    pathlib.Path("values.csv").symlink_to(values)
count = 0
for language, block in re.findall(r"```(sql|python)\n(.*?)```", text, re.S):
    count += 1
    if language == "sql":
        for query in filter(str.strip, re.sub(r"--.*", "", block).split(";")):
            rows = duckdb.sql(query).fetchall()
            assert rows, f"no row from\n{query}"
    else:
        scope = {}
        exec(block, scope)  # noqa: S102  (the page is ours)
        assert any(isinstance(v, pl.DataFrame) and v.height for v in scope.values()), f"no table from\n{block}"
assert count >= 5, f"only {count} blocks"

metrics = json.loads((run / "metrics.json").read_text())
for arm in metrics["arms"]:
    for metric, by_world in arm["per_seed"].items():
        known = [value for value in by_world if value is not None]
        if known:
            query = "select avg(value), count(*) from read_csv('values.csv') where arm = ? and metric = ?"
            mean, rows = duckdb.execute(query, [arm["id"], metric]).fetchall()[0]
            assert rows == len(known) and abs(mean - sum(known) / len(known)) < 1e-12, (arm["id"], metric)
scores = str(run / "units/*/scores.parquet")
sql = duckdb.sql(f"select count(*), sum(risk_score::double) from read_parquet('{scores}', union_by_name = true)").fetchall()[0]
frame = pl.scan_parquet(scores, missing_columns="insert").select(pl.len(), pl.col("risk_score").cast(pl.Float64).sum()).collect().row(0)
assert sql[0] == frame[0] > 0 and abs(sql[1] - frame[1]) < 1e-6, (sql, frame)
print(f"duckdb {duckdb.__version__}, polars {pl.__version__}: {count} blocks, {sql[0]} scores: all equal")
