//! The methods of MCP: their names, what they do to whom, and in which eras they exist.
//!
//! The gateway dispatches and policy classifies by [`Method`], never by comparing texts again. Names are
//! case-sensitive. Unknown methods are [`Method::Unknown`] and are not guessed at.

use crate::Era;

macro_rules! methods {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// A method of the protocol, requests and notifications of both sides.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Method {
            $(#[doc = $doc] $variant,)*
            /// None that this crate knows.
            Unknown,
        }

        impl Method {
            /// All known methods.
            pub const ALL: &'static [Method] = &[$(Method::$variant,)*];

            /// The method of that exact name.
            pub fn parse(name: &str) -> Method {
                match name {
                    $($name => Method::$variant,)*
                    _ => Method::Unknown,
                }
            }

            /// The name on the wire; empty for an unknown one.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Method::$variant => $name,)*
                    Method::Unknown => "",
                }
            }
        }
    };
}

methods! {
    Initialize "initialize" "Handshake of legacy eras.",
    Ping "ping" "Sign of life, either direction (legacy).",
    ServerDiscover "server/discover" "What a server is and speaks (modern).",
    ToolsList "tools/list" "Pages of tools.",
    ToolsCall "tools/call" "Runs a tool.",
    PromptsList "prompts/list" "Pages of prompts.",
    PromptsGet "prompts/get" "Fills in a prompt.",
    ResourcesList "resources/list" "Pages of resources.",
    ResourceTemplatesList "resources/templates/list" "Pages of resource templates.",
    ResourcesRead "resources/read" "Reads a resource.",
    ResourcesSubscribe "resources/subscribe" "Follows a resource (legacy).",
    ResourcesUnsubscribe "resources/unsubscribe" "Ends that (legacy).",
    SubscriptionsListen "subscriptions/listen" "A stream of chosen notifications (modern).",
    CompletionComplete "completion/complete" "Suggests values of an argument.",
    LoggingSetLevel "logging/setLevel" "Sets the session's log level (legacy).",
    TasksGet "tasks/get" "State of a task.",
    TasksUpdate "tasks/update" "Gives a task the input it asked for (modern extension).",
    TasksCancel "tasks/cancel" "Ends a task.",
    TasksList "tasks/list" "Pages of tasks (2025-11-25).",
    TasksResult "tasks/result" "Result of a task (2025-11-25).",
    SamplingCreateMessage "sampling/createMessage" "The server asks for a completion.",
    ElicitationCreate "elicitation/create" "The server asks the person.",
    RootsList "roots/list" "The server asks for the client's roots.",
    Initialized "notifications/initialized" "The client is ready (legacy).",
    Cancelled "notifications/cancelled" "A request is not wanted any more.",
    Progress "notifications/progress" "A request proceeds.",
    LogMessage "notifications/message" "A log line of the server.",
    ToolsListChanged "notifications/tools/list_changed" "Tools changed.",
    PromptsListChanged "notifications/prompts/list_changed" "Prompts changed.",
    ResourcesListChanged "notifications/resources/list_changed" "Resources changed.",
    ResourcesUpdated "notifications/resources/updated" "A followed resource changed.",
    RootsListChanged "notifications/roots/list_changed" "The client's roots changed (legacy).",
    ElicitationComplete "notifications/elicitation/complete" "A URL elicitation ended (2025-11-25).",
    SubscriptionsAcknowledged "notifications/subscriptions/acknowledged" "First message of a listen stream (modern).",
    TaskStatus "notifications/tasks/status" "A task changed (2025-11-25).",
    TaskNotification "notifications/tasks" "A task changed (modern extension).",
}

/// What a request does, as far as dispatch and policy differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Handshake and discovery, answered by the gateway.
    Handshake,
    /// Answered by the gateway without policy: ping.
    Local,
    /// A list out of the catalogue, filtered.
    List,
    /// Runs a tool.
    Call,
    /// Gets a prompt.
    Get,
    /// Reads a resource.
    Read,
    /// Follows or leaves a resource.
    Subscribe,
    /// Opens a stream of notifications.
    Listen,
    /// Suggests argument values of a prompt or template.
    Complete,
    /// Sets the log level.
    Logging,
    /// Concerns a task, whose call was decided before.
    Task,
    /// Goes from the server to the client.
    ToClient,
    /// Expects no answer.
    Notification,
    /// Not known.
    Unknown,
}

impl Method {
    /// What it does.
    pub const fn class(self) -> Class {
        match self {
            Method::Initialize | Method::ServerDiscover => Class::Handshake,
            Method::Ping => Class::Local,
            Method::ToolsList
            | Method::PromptsList
            | Method::ResourcesList
            | Method::ResourceTemplatesList => Class::List,
            Method::ToolsCall => Class::Call,
            Method::PromptsGet => Class::Get,
            Method::ResourcesRead => Class::Read,
            Method::ResourcesSubscribe | Method::ResourcesUnsubscribe => Class::Subscribe,
            Method::SubscriptionsListen => Class::Listen,
            Method::CompletionComplete => Class::Complete,
            Method::LoggingSetLevel => Class::Logging,
            Method::TasksGet
            | Method::TasksUpdate
            | Method::TasksCancel
            | Method::TasksList
            | Method::TasksResult => Class::Task,
            Method::SamplingCreateMessage | Method::ElicitationCreate | Method::RootsList => Class::ToClient,
            Method::Unknown => Class::Unknown,
            _ => Class::Notification,
        }
    }

    /// Whether a client may send it, or a server for those that go to the client, in that era. Methods that an era lacks
    /// answer -32601, in modern eras with HTTP 404. An unknown method is in none.
    pub fn exists_in(self, era: Era) -> bool {
        match self {
            Method::Unknown => false,
            Method::Initialize
            | Method::Ping
            | Method::LoggingSetLevel
            | Method::ResourcesSubscribe
            | Method::ResourcesUnsubscribe
            | Method::Initialized
            | Method::RootsListChanged => !era.is_modern(),
            Method::TasksList | Method::TasksResult | Method::TaskStatus | Method::ElicitationComplete => {
                era == Era::V2025_11_25
            }
            Method::TasksGet | Method::TasksCancel => era >= Era::V2025_11_25,
            Method::ServerDiscover
            | Method::SubscriptionsListen
            | Method::SubscriptionsAcknowledged
            | Method::TasksUpdate
            | Method::TaskNotification => era.is_modern(),
            Method::ElicitationCreate => era.has_elicitation(),
            _ => true,
        }
    }

    /// The member of the params that `Mcp-Name` mirrors in modern eras.
    pub const fn mirrored_param(self) -> Option<&'static str> {
        match self {
            Method::ToolsCall | Method::PromptsGet => Some("name"),
            Method::ResourcesRead => Some("uri"),
            // SEP-2663 "Streamable HTTP: Routing Headers".
            Method::TasksGet | Method::TasksUpdate | Method::TasksCancel => Some("taskId"),
            _ => None,
        }
    }

    /// Whether its complete results carry `ttlMs` and `cacheScope` in modern eras (server/utilities/caching).
    pub const fn is_cacheable(self) -> bool {
        matches!(
            self,
            Method::ServerDiscover
                | Method::ToolsList
                | Method::PromptsList
                | Method::ResourcesList
                | Method::ResourceTemplatesList
                | Method::ResourcesRead
        )
    }

    /// Whether its result may ask the client for input (basic/patterns/mrtr).
    pub const fn may_require_input(self) -> bool {
        matches!(self, Method::ToolsCall | Method::PromptsGet | Method::ResourcesRead)
    }

    /// Whether it is a notification.
    pub const fn is_notification(self) -> bool {
        matches!(self.class(), Class::Notification)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_case_matters() {
        for &method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), method);
            assert_eq!(method.is_notification(), method.as_str().starts_with("notifications/"));
        }
        assert_eq!(Method::parse("TOOLS/CALL"), Method::Unknown);
        assert_eq!(Method::parse(""), Method::Unknown);
    }

    #[test]
    fn the_modern_era_lacks_what_the_changelog_removed() {
        let removed =
            ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
        let removed = removed.into_iter().chain([
            "notifications/roots/list_changed",
            "notifications/elicitation/complete",
            "tasks/list",
            "tasks/result",
        ]);
        for name in removed {
            let method = Method::parse(name);
            assert!(method != Method::Unknown && !method.exists_in(Era::MODERN), "{name}");
            assert!(method.exists_in(Era::V2025_11_25), "{name}");
        }
    }
}
