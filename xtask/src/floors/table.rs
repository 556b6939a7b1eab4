//! The floor plan: which crate may import which, and which foreign crate belongs to which room.

/// What the names of the rooms' packages begin with.
pub(super) const PREFIX: &str = "bailiwick-";

/// A crate of ours.
pub(super) struct Room {
    /// Its folder.
    pub(super) name: &'static str,
    /// Its floor; a crate imports only from lower ones.
    pub(super) floor: u8,
    /// What it may import; beside that `testkit` in its tests.
    pub(super) may_import: &'static [&'static str],
}

/// Any room of the product but the binary itself.
pub(super) const EVERYTHING: &[&str] = &["every room"];

/// What is no room that something could be built on.
pub(super) const NEVER: &[&str] = &["bailiwick", "testkit", "xtask"];

const fn room(floor: u8, name: &'static str, may_import: &'static [&'static str]) -> Room {
    Room { name, floor, may_import }
}

const FLOORS_0_TO_2: &[&str] = &[
    "model",
    "mcp",
    "policy",
    "inspect",
    "metering",
    "portability",
    "config",
    "runtime",
    "store",
    "identity",
    "upstream",
    "ledger",
];

pub(super) const ROOMS: &[Room] = &[
    room(0, "model", &[]),
    room(0, "mcp", &[]),
    room(1, "policy", &["model"]),
    room(1, "inspect", &["model"]),
    room(1, "metering", &["model"]),
    room(1, "portability", &["model"]),
    room(1, "config", &["model"]),
    room(1, "runtime", &["model"]),
    room(1, "store", &["model"]),
    room(2, "identity", &["model", "store", "runtime", "config"]),
    room(2, "upstream", &["model", "mcp", "policy", "runtime", "store", "config"]),
    room(2, "ledger", &["model", "runtime", "store", "config"]),
    room(
        3,
        "gateway",
        &[
            "model", "mcp", "policy", "inspect", "metering", "identity", "upstream", "ledger", "runtime",
            "config",
        ],
    ),
    room(3, "control", FLOORS_0_TO_2),
    room(4, "console", &["model", "control", "identity", "config"]),
    room(5, "bailiwick", EVERYTHING),
    room(5, "testkit", EVERYTHING),
    room(5, "xtask", &[]),
];

/// Foreign crates that only these may use; tests may use them everywhere. `testkit` is not part of the product.
pub(super) const OWNED: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("cedar-policy", &["policy"]),
    ("rustls", &["runtime", "testkit"]),
    ("tokio-rustls", &["runtime", "testkit"]),
    ("hyper-util", &["runtime", "testkit"]),
    ("reqwest", &["runtime", "testkit"]),
    ("axum", &["gateway", "console", "identity", "bailiwick", "testkit"]),
    ("clap", &["bailiwick", "xtask", "testkit"]),
    ("rmcp", &["testkit"]),
];
