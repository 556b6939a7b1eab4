//! Servers for the gateway under test, and what the ledger says of the calls to them.

use std::collections::BTreeMap;

use bailiwick_control::{Actor, NewServer};
use bailiwick_model::server::{Confinement, Sharing, Timeouts, Transport};
use serde_json::Value;

use super::App;
use super::stream::until;

impl App {
    /// Registers a server that is given up after so many milliseconds of silence. It need not be there.
    pub(crate) async fn register_impatient(&self, name: &str, url: &str, patience_ms: u64) {
        let new = NewServer {
            name: Some(name.parse().unwrap()),
            registry_name: None,
            team: Some("default".into()),
            description: String::new(),
            transport: Transport::Http { url: url.to_owned(), headers: BTreeMap::new() },
            secrets: BTreeMap::new(),
            timeouts: Timeouts { connect_ms: patience_ms, first_byte_ms: patience_ms, idle_ms: patience_ms },
            capture: bailiwick_model::Capture::default(),
            enabled: true,
        };
        self.control().add_server(&Actor::Gateway, new).await.unwrap();
    }

    /// Registers the conformance fixture as a child process.
    pub(crate) async fn register_fixture(&self, name: &str) {
        let program = bailiwick_testkit::bin::path("bailiwick-fixture").unwrap();
        let transport = Transport::Stdio {
            command: program.to_str().unwrap().to_owned(),
            args: vec!["--stdio".to_owned()],
            env: BTreeMap::new(),
            cwd: None,
            sharing: Sharing::Principal,
            confinement: Confinement::default(),
        };
        self.register_as(name, transport, BTreeMap::new()).await;
    }

    /// The intents of one method with their outcomes, once all of `count` have one. More than one outcome fails.
    pub(crate) async fn outcomes_of(&self, method: &str, count: usize) -> Vec<Value> {
        let outcomes = until(&format!("{count} outcomes of {method}"), || {
            let records = self.records();
            let of_kind = |kind| records.iter().filter(move |record| record["kind"] == kind);
            let intents = of_kind("intent").filter(|intent| intent["what"]["method"] == method);
            let found: Vec<Vec<Value>> = intents
                .map(|intent| of_kind("outcome").filter(|o| o["call"] == intent["call"]).cloned().collect())
                .collect();
            (found.len() >= count && found.iter().all(|outcomes| !outcomes.is_empty())).then_some(found)
        })
        .await;
        assert!(outcomes.iter().all(|outcomes| outcomes.len() == 1), "{outcomes:?}");
        assert_eq!(outcomes.len(), count, "{outcomes:?}");
        outcomes.into_iter().flatten().collect()
    }

    /// The statuses of the outcomes of one method.
    pub(crate) async fn statuses_of(&self, method: &str, count: usize) -> Vec<String> {
        let outcomes = self.outcomes_of(method, count).await;
        outcomes.iter().map(|outcome| outcome["status"].as_str().unwrap().to_owned()).collect()
    }
}
