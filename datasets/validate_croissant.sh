#!/usr/bin/env bash
# Builds a dataset and lets MLCommons' own tool judge its croissant.json, then reads the first rows of one record set of each
# seat through it. The tool is optional and no dependency of ours: pip install mlcroissant pyarrow.
#   datasets/validate_croissant.sh [NAME] [EQUIPOISE] [MLCROISSANT]
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:-tiny}
equipoise=${2:-target/release/equipoise}
tool=${3:-mlcroissant}
command -v "$tool" >/dev/null || { echo "mlcroissant is not installed: skipped"; exit 0; }

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$equipoise" dataset build "$name" --out "$place/$name" --repin --quiet
"$equipoise" dataset verify "$place/$name"
"$tool" validate --jsonld "$place/$name/croissant.json"
for set in p0_events p0_accounts p0_edges p0_labels p0_split_accounts split_times truth_persons truth_accounts; do
    "$tool" load --jsonld "$place/$name/croissant.json" --record_set "$set" --num_records 3 >"$place/rows" 2>"$place/said" \
        || { cat "$place/said"; echo "$set: cannot be read through croissant.json"; exit 1; }
    echo "$set: readable"
done
