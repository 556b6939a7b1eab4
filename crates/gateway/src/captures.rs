//! What of payloads goes into records: each server's capture policy, made ready once.

use std::sync::Arc;

use bailiwick_inspect::Rules;
use bailiwick_model::body_key::BodyPart;
use bailiwick_model::capture::{CaptureMode, ToolCapture};
use bailiwick_model::server::Server;
use bailiwick_model::{QuickMap, RetentionClass, ServerId};
use bailiwick_policy::Permit;
use parking_lot::RwLock;

/// Plans by server. One of a server that was changed is replaced at its next use.
#[derive(Debug, Default)]
pub(crate) struct Captures(RwLock<QuickMap<ServerId, Made>>);

#[derive(Debug, Clone)]
struct Made {
    server: Arc<Server>,
    usual: Arc<Plan>,
    tools: Arc<QuickMap<Box<str>, Arc<Plan>>>,
}

/// What is captured of a call.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    arguments: CaptureMode,
    results: CaptureMode,
    rules: Rules,
    cap: usize,
    class: RetentionClass,
}

impl Captures {
    /// The plan of a call; none if nothing is captured of it.
    pub(crate) fn plan(&self, permit: &Permit) -> Option<Arc<Plan>> {
        let server = permit.registered();
        if server.capture.is_nothing() {
            return None;
        }
        let made = self.made(server);
        let special = permit.subject().key.and_then(|key| made.tools.get(key));
        Some(Arc::clone(special.unwrap_or(&made.usual)))
            .filter(|plan| [plan.arguments, plan.results].iter().any(|mode| *mode != CaptureMode::None))
    }

    fn made(&self, server: &Arc<Server>) -> Made {
        if let Some(made) = self.0.read().get(&server.id).filter(|made| Arc::ptr_eq(&made.server, server)) {
            return made.clone();
        }
        let made = Made::of(server);
        let mut plans = self.0.write();
        // Servers that are gone are known here only.
        plans.retain(|_, made| Arc::strong_count(&made.server) > 1);
        plans.insert(server.id, made.clone());
        made
    }
}

impl Made {
    fn of(server: &Arc<Server>) -> Self {
        let capture = &server.capture;
        let tools = capture.tools.iter().map(|(name, tool)| (name.as_str().into(), Plan::of(server, tool)));
        Self {
            server: Arc::clone(server),
            usual: Plan::of(server, &ToolCapture::default()),
            tools: Arc::new(tools.collect()),
        }
    }
}

impl Plan {
    fn of(server: &Server, tool: &ToolCapture) -> Arc<Self> {
        let capture = &server.capture;
        let rules = match Rules::of_capture(capture.rules.iter().chain(&tool.rules)) {
            Ok(rules) => rules,
            Err(error) => {
                // They were checked when they were set. What is not understood captures nothing.
                tracing::error!(server = server.name.as_str(), %error, "a capture rule is not understood");
                return Arc::default();
            }
        };
        Arc::new(Self {
            arguments: tool.arguments.unwrap_or(capture.arguments),
            results: tool.results.unwrap_or(capture.results),
            rules,
            cap: usize::try_from(capture.max_bytes).unwrap_or(usize::MAX),
            class: capture.retention.clone(),
        })
    }

    /// How much is held of a payload.
    pub(crate) fn mode(&self, part: BodyPart) -> CaptureMode {
        match part {
            BodyPart::Arguments => self.arguments,
            BodyPart::Result => self.results,
        }
    }

    /// What happens to values at certain paths.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The most that is held of a payload, in bytes.
    pub(crate) fn cap(&self) -> usize {
        self.cap
    }

    /// The class of what is held.
    pub(crate) fn class(&self) -> &RetentionClass {
        &self.class
    }
}
