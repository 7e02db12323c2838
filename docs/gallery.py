"""Makes the gallery again: `python3 docs/gallery.py [RUNS]`, from the folder of the repository.

One page an experiment: its question, its picture, the command, the minutes that it took and its headline number, from the newest run of it
in RUNS (default `runs`) whose file is the experiment's own text. An experiment without a run there keeps the page that it has, or gets one
that says so: no number is made up. Standard library only.
"""

import json
import pathlib
import re
import shlex
import shutil
import sys

root = pathlib.Path(__file__).resolve().parent.parent
runs = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else root / "runs")
out = root / "docs" / "gallery"
out.mkdir(exist_ok=True)


def newest(text):
    """The newest finished run of this text."""
    found = []
    for path in runs.glob("*/provenance.json"):
        given = path.with_name("experiment.toml")
        if given.exists() and given.read_text() == text:
            found.append((json.loads(path.read_text()).get("finished_unix", 0), path.parent))
    return max(found)[1] if found else None


def headline(run):
    """The headline of the report, as it stands in report.md."""
    lines = (run / "report.md").read_text().splitlines()
    return next(line.strip("*") for line in lines if line.startswith("**") and "Synthetic" not in line)


index = ["# Gallery", "", "One page an experiment, made by `python3 docs/gallery.py` from finished runs. Minutes are of the clock, whatever else the machine did. Synthetic data; research only.", ""]
for file in sorted([*root.glob("experiments/*.toml"), *root.glob("experiments/smoke/*.toml")]):
    text = file.read_text()
    question = re.search(r'^question = "(.*)"$', text, re.M)
    if not question:
        continue
    name, page = file.stem, out / f"{file.stem}.md"
    index.append(f"- [{name}]({name}.md): {question.group(1)}")
    run = newest(text)
    if run is None and page.exists() and "not been run" not in page.read_text():
        continue
    lines = [f"# {name}", "", question.group(1), ""]
    command = f"equipoise run {file.relative_to(root)}"
    if run is None:
        lines += ["It has not been run for this gallery yet; `equipoise check` estimates what it takes.", "", "```text", command, "```", ""]
    else:
        plan, facts = json.loads((run / "plan.json").read_text()), json.loads((run / "provenance.json").read_text())
        command += "".join(f" --set {shlex.quote(given)}" for given in plan.get("overrides", []))
        figures = sorted(p.name for p in (run / "figures").glob("*.svg"))
        # The picture that the experiment is about: the front where it varies a guarantee, hostile clients, sizes; else paired differences.
        wanted = ["f15-hostile.svg", "f14-clients.svg", "f1-frontier.svg" if len({a.get("epsilon") for a in json.loads((run / "metrics.json").read_text())["arms"]}) > 1 else "f17-ladder.svg"]
        picture = next((name for name in wanted if name in figures), None)
        if picture:
            shutil.copyfile(run / "figures" / picture, out / f"{name}.svg")
            lines += [f"![{question.group(1)}]({name}.svg)", ""]
        lines += [headline(run), "", "```text", command, "```", "", f"{facts['seconds'] / 60:.1f} minutes on {facts.get('threads', '?')} threads of {facts.get('processor', 'a machine')}; version {facts.get('version', '?')}.", ""]
    lines += [f"[The file](../../{file.relative_to(root)})", ""]
    page.write_text("\n".join(lines))
(out / "README.md").write_text("\n".join(index) + "\n")
print(f"{len(index) - 4} pages in {out.relative_to(root)}")
