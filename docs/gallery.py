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
    """The newest finished run or study of this text; one with nothing set otherwise before all others."""
    found = []
    for path in runs.glob("*/provenance.json"):
        folder, given = path.parent, path.with_name("experiment.toml")
        study = folder / "study.json"
        if study.exists():
            given = folder / "inputs" / json.loads(study.read_text())["file"]
        if given.exists() and given.read_text() == text:
            found.append((not overrides(folder), json.loads(path.read_text()).get("finished_unix", 0), folder))
    return max(found)[2] if found else None


def overrides(run):
    """What a run was given with --set."""
    plan = run / "plan.json"
    return json.loads(plan.read_text()).get("overrides", []) if plan.exists() else []


def headline(run):
    """The headline of the report, as it stands in report.md."""
    lines = (run / "report.md").read_text().splitlines()
    return next(line.strip("*") for line in lines if line.startswith("**") and "Synthetic" not in line)


def picture(run):
    """The picture that the experiment is about: of a study its first; else the front where a guarantee varies, hostile clients, sizes; else
    paired differences."""
    figures = sorted((p.name for p in (run / "figures").glob("*.svg")), key=lambda name: (int((re.match(r"f(\d+)", name) or [0, 99])[1]), name))
    if (run / "study.json").exists():
        return figures[0] if figures else None
    arms = json.loads((run / "metrics.json").read_text())["arms"]
    last = "f1-frontier.svg" if len({a.get("epsilon") for a in arms}) > 1 else "f17-ladder.svg"
    return next((name for name in ["f15-hostile.svg", "f14-clients.svg", last] if name in figures), None)


def command(file, run):
    """What makes it again."""
    verb = {"policy": "policy run", "audit": "audit run"}.get(file.parent.name, "run")
    line = f"equipoise {verb} {file.relative_to(root)}"
    return line + "".join(f" --set {shlex.quote(one)}" for one in (overrides(run) if run else []))


index = ["# Gallery", "", "One page an experiment, made by `python3 docs/gallery.py` from finished runs. Minutes are of the clock, whatever else the machine did. Synthetic data; research only.", ""]
for file in sorted([*root.glob("experiments/*.toml"), *(path for kind in ("smoke", "policy", "audit") for path in root.glob(f"experiments/{kind}/*.toml"))], key=lambda path: path.stem):
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
    if run is None:
        lines += ["It has not been run for this gallery yet.", "", "```text", command(file, run), "```", ""]
    else:
        facts = json.loads((run / "provenance.json").read_text())
        shown = picture(run)
        if shown:
            shutil.copyfile(run / "figures" / shown, out / f"{name}.svg")
            lines += [f"![{question.group(1)}]({name}.svg)", ""]
        lines += [headline(run), "", "```text", command(file, run), "```", "", f"{facts['seconds'] / 60:.1f} minutes on {facts.get('threads', '?')} threads of {facts.get('processor', 'a machine')}; version {facts.get('version', '?')}.", ""]
    lines += [f"[The file](../../{file.relative_to(root)})", ""]
    page.write_text("\n".join(lines))
(out / "README.md").write_text("\n".join(index) + "\n")
# The book renders the pages that its contents name, and no others.
contents = root / "docs" / "SUMMARY.md"
head, mark = contents.read_text().split("# Gallery")[0], "# Gallery\n\n- [Every experiment: question, picture, number](gallery/README.md)\n"
names = [re.match(r"- \[([^]]+)\]", line).group(1) for line in index if line.startswith("- ")]
contents.write_text(head + mark + "".join(f"  - [{name}](gallery/{name}.md)\n" for name in names))
print(f"{len(index) - 4} pages in {out.relative_to(root)}")
