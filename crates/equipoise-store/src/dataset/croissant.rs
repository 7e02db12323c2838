//! Croissant 1.1 with the RAI 1.0 vocabulary (MLCommons): one JSON-LD file from which a reader loads every table. Each file
//! stands with its SHA-256; logs are sets of parts; accounts and persons are referred to as foreign keys.
//!
//! A platform's tables are record sets of their own, because an account number means something on its platform only.

use super::catalogue::{Column, Seat, TableSpec};
use super::rai::rai;
use super::{DatasetFacts, FileSum, TABLES};
use crate::ColumnType;
use equipoise_core::PlatformId;
use serde_json::{Value, json};

const PARQUET: &str = "application/x-parquet";

/// The JSON-LD of a dataset.
#[must_use]
pub fn croissant(facts: &DatasetFacts) -> Value {
    let mut distribution: Vec<Value> = facts.files.iter().map(file_object).collect();
    let mut record_sets = Vec::new();
    for table in &TABLES {
        for platform in platforms_of(facts, table) {
            if table.name == "events" {
                distribution.push(parts(platform));
            }
            record_sets.push(record_set(facts, table, platform));
        }
    }
    let mut root = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": facts.name,
        "alternateName": facts.title,
        "description": facts.summary(),
        "license": licence_url(&facts.licence),
        "url": facts.url,
        "creator": { "@type": "sc:Organization", "name": "The Equipoise contributors" },
        "publisher": { "@type": "sc:Organization", "name": "The Equipoise contributors" },
        "datePublished": facts.published,
        "version": facts.version,
        "sdVersion": facts.version,
        "citeAs": cite_as(facts),
        "keywords": ["synthetic", "metadata", "child protection", "federated learning", "differential privacy", "graph", "time series"],
        "isLiveDataset": false,
        "isAccessibleForFree": true,
        "distribution": distribution,
        "recordSet": record_sets,
    });
    if let Value::Object(map) = &mut root {
        for (key, value) in rai(facts) {
            map.insert(format!("rai:{key}"), value);
        }
    }
    root
}

/// The context of the specification, with the RAI prefix.
fn context() -> Value {
    let mut context = json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "examples": { "@id": "cr:examples", "@type": "@json" },
        "description": { "@container": "@language" },
        "name": { "@container": "@language" },
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "dct": "http://purl.org/dc/terms/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "sc": "https://schema.org/",
    });
    let own = [
        "arrayShape",
        "citeAs",
        "column",
        "containedIn",
        "equivalentProperty",
        "extract",
        "field",
        "fileObject",
        "fileProperty",
        "fileSet",
        "format",
        "includes",
        "isArray",
        "isLiveDataset",
        "jsonPath",
        "key",
        "md5",
        "parentField",
        "path",
        "recordSet",
        "references",
        "regex",
        "repeated",
        "replace",
        "samplingRate",
        "sdVersion",
        "separator",
        "source",
        "subField",
        "transform",
    ];
    if let Value::Object(map) = &mut context {
        for word in own {
            map.insert(word.to_owned(), json!(format!("cr:{word}")));
        }
    }
    context
}

/// The page of a licence.
pub(crate) fn licence_url(spdx: &str) -> String {
    match spdx {
        "CC-BY-4.0" => "https://creativecommons.org/licenses/by/4.0/".to_owned(),
        other => format!("https://spdx.org/licenses/{other}"),
    }
}

/// A citation that names the exact bytes.
pub(crate) fn cite_as(facts: &DatasetFacts) -> String {
    let (name, title, version, hash) = (&facts.name, &facts.title, &facts.version, &facts.hash);
    let year = facts.published.get(..4).unwrap_or(&facts.published);
    format!(
        "@misc{{equipoise-{name}, title = {{{title}}}, author = {{The Equipoise contributors}}, year = {{{year}}}, \
         version = {{{version}}}, note = {{synthetic metadata; content hash {hash}}}}}"
    )
}

fn platforms_of(facts: &DatasetFacts, table: &TableSpec) -> Vec<PlatformId> {
    if table.by_platform { facts.platforms.iter().map(|p| p.id).collect() } else { vec![PlatformId(0)] }
}

fn id_of(table: &TableSpec, platform: PlatformId) -> String {
    if table.by_platform { format!("p{}_{}", platform.0, table.name) } else { table.name.to_owned() }
}

fn file_object(file: &FileSum) -> Value {
    let parquet = file.name.ends_with(".parquet");
    json!({
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name.replace(['/', '='], "_"),
        "contentUrl": file.name,
        "contentSize": format!("{} B", file.bytes),
        "encodingFormat": if parquet { PARQUET } else { "text/plain" },
        "sha256": file.sha256,
    })
}

fn parts(platform: PlatformId) -> Value {
    json!({
        "@type": "cr:FileSet",
        "@id": format!("p{}_events_parts", platform.0),
        "name": format!("p{}_events_parts", platform.0),
        "description": "one file a block of accounts and week, sorted by account and time inside; the sum of each is among the file objects",
        "encodingFormat": PARQUET,
        "includes": format!("platform={}/table=events/block=*/week=*.parquet", platform.0),
    })
}

fn record_set(facts: &DatasetFacts, table: &TableSpec, platform: PlatformId) -> Value {
    let id = id_of(table, platform);
    let fields: Vec<Value> =
        table.columns.iter().map(|column| field(facts, table, platform, column)).collect();
    let key: Vec<Value> = table.columns[..table.key]
        .iter()
        .map(|column| json!({ "@id": format!("{id}/{}", column.name) }))
        .collect();
    let mut set = json!({
        "@type": "cr:RecordSet",
        "@id": id,
        "name": id,
        "description": about(facts, table, platform),
        "field": fields,
    });
    if let (Value::Object(map), false) = (&mut set, key.is_empty()) {
        map.insert("key".to_owned(), json!(key));
    }
    set
}

fn about(facts: &DatasetFacts, table: &TableSpec, platform: PlatformId) -> String {
    let seat = match table.seat {
        Seat::Truth => " Never a training input.",
        Seat::Labels => " Training reads rows known by its cut-off only.",
        Seat::Operator | Seat::Splits => "",
    };
    let whose = facts.platforms.iter().find(|p| table.by_platform && p.id == platform);
    let whose = whose.map_or(String::new(), |p| format!(" Platform `{}` ({}).", p.name, p.archetype));
    format!("{}{whose}{seat}", table.about)
}

fn field(facts: &DatasetFacts, table: &TableSpec, platform: PlatformId, column: &Column) -> Value {
    let source = if table.name == "events" {
        json!({ "fileSet": { "@id": format!("p{}_events_parts", platform.0) }, "extract": { "column": column.name } })
    } else {
        json!({ "fileObject": { "@id": table.place(platform) }, "extract": { "column": column.name } })
    };
    let mut field = json!({
        "@type": "cr:Field",
        "@id": format!("{}/{}", id_of(table, platform), column.name),
        "name": column.name,
        "description": described(facts, table, column),
        "dataType": data_type(column.kind),
        "source": source,
    });
    let target = column.refers.and_then(super::table_spec);
    if let (Value::Object(map), Some(target)) = (&mut field, target) {
        let to = format!("{}/{}", id_of(target, platform), target.columns[0].name);
        map.insert("references".to_owned(), json!({ "field": { "@id": to } }));
    }
    field
}

/// What a column says, with its type and the names of its codes.
pub(crate) fn described(facts: &DatasetFacts, table: &TableSpec, column: &Column) -> String {
    let codes = facts.codes_of(table.name, column.name).map_or(String::new(), |codes| {
        let list: Vec<String> = codes.iter().map(|(code, name)| format!("{code} {name}")).collect();
        format!(" ({})", list.join(", "))
    });
    format!("{}{codes}; {}", column.about, column.kind)
}

const fn data_type(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::F32 | ColumnType::F64 => "sc:Float",
        ColumnType::Bool => "sc:Boolean",
        _ => "sc:Integer",
    }
}
