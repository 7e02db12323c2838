//! The responsible-AI properties of a dataset (Croissant RAI 1.0): how it came about, what it is not, whom it could harm.

use super::{DatasetFacts, NOTICE};
use serde_json::{Map, Value, json};

/// The properties, without the prefix `rai:`.
pub(crate) fn rai(facts: &DatasetFacts) -> Map<String, Value> {
    let sources = format!(
        "{} rates of the world cite a public aggregate, {} are assumptions; each stands with its source in config.toml.",
        facts.cited_rates, facts.assumed_rates
    );
    let properties = json!({
        "dataCollection": format!(
            "Nothing was collected from anybody. {} drew every row from the abstract rates of {} and the seed {}.",
            facts.generator, facts.world, facts.seed
        ),
        "dataCollectionType": ["Software Collection", "Others: simulation from abstract rates"],
        "dataCollectionMissingData": "No value is missing at random: a platform that does not see something writes 255 (age, region, \
            mutual contacts) or 0 (media) in every row, an absent other side is 4294967295. Labels are late and incomplete on purpose: \
            most simulated harmful patterns are never reported or confirmed.",
        "dataCollectionRawData": "There are no raw data. config.toml and seed give every byte again.",
        "dataCollectionTimeframe": [facts.published],
        "dataPreprocessingProtocol": ["Event times are floored to each platform's bucket; messages of one pair, direction and bucket \
            are one row with a count.", "Account numbers are a random permutation on each platform and say nothing about a role."],
        "dataManipulationProtocol": "Rows of one key (time, actor, peer, kind, surface) are merged: counts and media of messages add \
            up, of other kinds the larger values stay. Nothing is filtered, balanced or resampled.",
        "dataImputationProtocol": "None; nothing is imputed.",
        "dataAnnotationProtocol": ["labels/ holds what a simulated platform came to know (reports, reviews, confirmations), with the \
            time at which it knew. It differs from the truth by delay, under-reporting and wrong confirmations.",
            "truth/ holds what the simulation did. It is for evaluation; training reads labels/ only."],
        "dataAnnotationPlatform": ["None: simulated reporting and review processes, whose rates stand in config.toml."],
        "dataAnnotationAnalysis": ["No agreement between annotators exists. labels/ can be held against truth/."],
        "annotationsPerItem": "Zero to a few rows of labels/ an account; exactly one row of truth/accounts.parquet.",
        "annotatorDemographics": ["None: no person annotated anything."],
        "machineAnnotationTools": [facts.generator],
        "dataReleaseMaintenancePlan": "Versions follow MAJOR.MINOR.PATCH: MAJOR when rows change, MINOR when tables or columns are \
            added, PATCH when only words change. The card pins the content hash; a build that gives another hash is refused.",
        "personalSensitiveInformation": ["None: no row is about a person who exists.",
            "Simulated attributes: age band (true and declared), gender as girl or woman against others, coarse region code, traits, \
             and whether an account carries a simulated harmful pattern or is in touch with one."],
        "dataSocialImpact": format!(
            "Meant to let methods that protect children be compared without any child's data. It could harm: a score tuned on it and \
             used on people would accuse the innocent and miss the guilty, because the world is invented; hence: {NOTICE}. Rates are \
             abstract and show nobody how to harm or to avoid notice. What it shows is internal validity only."
        ),
        "dataBiases": [sources,
            "Behaviour, roles and responses are those of one design; real populations, countries and services differ.",
            "Harm among peers is not modelled, gender has two values, and regions are exchangeable codes.",
            "Prevalence is far above any recorded figure in most worlds; report metrics at their own prevalence."],
        "dataLimitations": ["No claim about any real service, child or offender follows from it.",
            "The contact graph, rhythms and label process are calibrated at best to the aggregates named in config.toml; \
             VALIDATION.json, where present, says which checks hold and which fail.",
            "Persons are drawn once: nothing outside the window exists, and accounts do not come back after a closing.",
            "Not suited to learning content, language, images, places or identities: none exist."],
        "dataUseCases": ["Comparing centralised, federated, encrypted and differentially private training of risk scores on metadata.",
            "Measuring burden on benign look-alikes, time to detection, and the effect of protective measures in simulation.",
            "Teaching and testing of software.",
            "Not for: decisions about people, claims about prevalence, training of a product without other evidence."],
    });
    match properties {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
