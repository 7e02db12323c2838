//! The tables themselves, column by column. A change here is a new version of every dataset.

use super::catalogue::{Column, Seat, TableSpec};
use crate::ColumnType;

const fn column(name: &'static str, kind: ColumnType, about: &'static str) -> Column {
    Column { name, kind, about, refers: None }
}

const fn refers(name: &'static str, kind: ColumnType, about: &'static str, table: &'static str) -> Column {
    Column { name, kind, about, refers: Some(table) }
}

const PLATFORM: Column = column("platform", ColumnType::U8, "platform, numbered as in config.toml");

/// Every table that a dataset may hold.
pub const TABLES: [TableSpec; 10] = [
    TableSpec {
        name: "events",
        about: "What the platform's log says happened: who, whom, when, what kind, how many. No content exists.",
        seat: Seat::Operator,
        by_platform: true,
        key: 5,
        columns: &[
            column(
                "time",
                ColumnType::I32,
                "seconds from the start of the window, floored to the platform's bucket",
            ),
            refers("actor", ColumnType::U32, "account that acted", "accounts"),
            refers(
                "peer",
                ColumnType::U32,
                "account on the other side; 4294967295 if there is none",
                "accounts",
            ),
            column("kind", ColumnType::U8, "kind of event"),
            column("surface", ColumnType::U8, "where on the platform"),
            column("count", ColumnType::U16, "messages in the bucket, minutes of a call, otherwise 1"),
            column(
                "media",
                ColumnType::U8,
                "how many of `count` carried media; 0 where the platform does not see it",
            ),
            column(
                "mutuals",
                ColumnType::U8,
                "shared contacts, at most 254; 255 where the platform does not see it",
            ),
            column("detail", ColumnType::U8, "category of a report, otherwise 0"),
        ],
    },
    TableSpec {
        name: "accounts",
        about: "What the operator holds about each account besides its events.",
        seat: Seat::Operator,
        by_platform: true,
        key: 1,
        columns: &[
            column("account", ColumnType::U32, "account, numbered from 0 in random order on this platform"),
            column(
                "declared_age",
                ColumnType::U8,
                "age band that the account declared, often wrong; 255 unseen",
            ),
            column("region", ColumnType::U8, "coarse region code; 255 unseen"),
            column(
                "created",
                ColumnType::I32,
                "seconds from the start of the window; negative for older accounts",
            ),
            column("token", ColumnType::U64, "noisy linkage token; accounts of one person often share one"),
        ],
    },
    TableSpec {
        name: "edges",
        about: "Contacts at the start of the window, each once; later contacts are events.",
        seat: Seat::Operator,
        by_platform: true,
        key: 2,
        columns: &[
            refers("a", ColumnType::U32, "the smaller account number", "accounts"),
            refers("b", ColumnType::U32, "the larger account number", "accounts"),
        ],
    },
    TableSpec {
        name: "labels",
        about: "What the platform came to know about its accounts, and when: late, incomplete, sometimes wrong.",
        seat: Seat::Labels,
        by_platform: true,
        key: 0,
        columns: &[
            refers("account", ColumnType::U32, "account that the label is about", "accounts"),
            column(
                "known_at",
                ColumnType::I32,
                "seconds from the start of the window at which it became known",
            ),
            column("status", ColumnType::U8, "how far the platform got"),
            column("source", ColumnType::U8, "where the knowledge came from"),
        ],
    },
    TableSpec {
        name: "split_accounts",
        about: "Train, validation or test: all accounts of a person on one side, on every platform.",
        seat: Seat::Splits,
        by_platform: true,
        key: 1,
        columns: &[
            refers("account", ColumnType::U32, "account", "accounts"),
            column("split", ColumnType::U8, "side"),
        ],
    },
    TableSpec {
        name: "split_times",
        about: "The time cut: training and validation read events and labels before it, test decides from it on.",
        seat: Seat::Splits,
        by_platform: false,
        key: 1,
        columns: &[
            column("split", ColumnType::U8, "side"),
            column("from", ColumnType::I32, "first second"),
            column("until", ColumnType::I32, "first second after the end"),
        ],
    },
    TableSpec {
        name: "truth_persons",
        about: "TRUTH, for evaluation only: the simulated persons.",
        seat: Seat::Truth,
        by_platform: false,
        key: 1,
        columns: &[
            column("person", ColumnType::U32, "person, numbered from 0"),
            column("age_band", ColumnType::U8, "true age band"),
            column("girl", ColumnType::Bool, "girl or woman"),
            column("region", ColumnType::U8, "coarse region code"),
            column("sociability", ColumnType::F32, "standard normal trait: how many circles"),
            column(
                "vulnerability",
                ColumnType::F32,
                "positive trait with median 1: odds of accepting strangers",
            ),
        ],
    },
    TableSpec {
        name: "truth_accounts",
        about: "TRUTH, for evaluation only: who is behind an account and what it was simulated to be.",
        seat: Seat::Truth,
        by_platform: false,
        key: 2,
        columns: &[
            PLATFORM,
            column("account", ColumnType::U32, "account on that platform"),
            refers("person", ColumnType::U32, "person behind it", "truth_persons"),
            column("harmful", ColumnType::U8, "simulated harmful pattern; 0 none"),
            column(
                "benign_group",
                ColumnType::U8,
                "benign role; of a harmful account the one that it resembles",
            ),
            column(
                "matched_for",
                ColumnType::U8,
                "pattern that a benign look-alike was made to match; 0 none",
            ),
            column(
                "harm_start",
                ColumnType::I32,
                "second of the first harmful contact with a child; 2147483647 never",
            ),
        ],
    },
    TableSpec {
        name: "truth_stages",
        about: "TRUTH, for evaluation only: how long each harmful dyad stayed in each abstract stage.",
        seat: Seat::Truth,
        by_platform: false,
        key: 0,
        columns: &[
            PLATFORM,
            column("account", ColumnType::U32, "account with a harmful pattern"),
            refers("child", ColumnType::U32, "person on the other side", "truth_persons"),
            column("stage", ColumnType::U8, "stage 1 to 5"),
            column("from", ColumnType::I32, "second at which the stage began"),
            column("until", ColumnType::I32, "second at which it ended"),
        ],
    },
    TableSpec {
        name: "truth_contacts",
        about: "TRUTH, for evaluation only: the first contact of a harmful account with each child.",
        seat: Seat::Truth,
        by_platform: false,
        key: 0,
        columns: &[
            PLATFORM,
            column("account", ColumnType::U32, "account with a harmful pattern"),
            refers("child", ColumnType::U32, "person contacted", "truth_persons"),
            column("time", ColumnType::I32, "second of the first contact"),
        ],
    },
];
