//! The conformance fixture: a server on the official SDK that offers what the conformance suite asks for, in every era.
//!
//! It passes the suite directly, and is what stands behind a gateway when the suite runs through it: a check that
//! is lost on the way was lost by the gateway. `bailiwick-fixture` serves it over Streamable HTTP or stdio.

#![expect(
    deprecated,
    reason = "the fixture serves the old revisions too, whose features the SDK marks deprecated"
)]

mod asks;
mod calls;
mod catalogue;
mod inputs;
mod serve;
mod tasks;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams,
    CompleteRequestParams, CompleteResult, CompletionInfo, ContentBlock, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, GetTaskParams, GetTaskResult, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, RequestStateCodec, ServerCapabilities, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
    UpdateTaskParams,
};
use rmcp::service::{NotificationContext, Peer, RequestContext, SubscriptionContext, SubscriptionSink};
use rmcp::task_manager::TaskManager;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use serve::{ServeError, http, stdio};

use catalogue::{Answers, Catalogue};

/// How long the fixture's lists and contents may be cached, in milliseconds.
const TTL_MS: u64 = 60_000;
/// Seals the fixture's `requestState`. No secret: the fixture guards nothing.
const STATE_KEY: &[u8] = b"the key of a fixture that guards nothing";

/// The server. One serves all sessions: what they share (subscribers, tasks) must not depend on the session.
#[derive(Clone)]
pub struct Fixture {
    catalogue: Arc<Catalogue>,
    answers: Arc<Answers>,
    states: RequestStateCodec,
    tasks: TaskManager,
    subscribers: Arc<Mutex<HashMap<u64, SubscriptionSink>>>,
    legacy_peers: Arc<Mutex<HashMap<u64, Peer<RoleServer>>>>,
    next_key: Arc<AtomicU64>,
}

impl Default for Fixture {
    fn default() -> Self {
        Self {
            catalogue: Arc::new(Catalogue::load()),
            answers: Arc::new(Answers::load()),
            states: RequestStateCodec::new(STATE_KEY),
            tasks: TaskManager::new(),
            subscribers: Arc::default(),
            legacy_peers: Arc::default(),
            next_key: Arc::default(),
        }
    }
}

fn text(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

fn decode<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

/// The client went away while it was being told something.
fn gone(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(format!("the client is gone: {error}"), None)
}

impl Fixture {
    fn key(&self) -> u64 {
        self.next_key.fetch_add(1, Ordering::Relaxed)
    }
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_logging()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_resources_list_changed()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_tasks()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("bailiwick-fixture", env!("CARGO_PKG_VERSION")))
            .with_instructions("Everything the conformance suite asks for.")
    }

    /// The SDK needs the definition to check the headers that mirror its arguments.
    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.catalogue.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let mut peers = self.legacy_peers.lock();
        peers.retain(|_, peer| !peer.is_transport_closed());
        peers.insert(self.key(), context.peer);
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let key = self.key();
        self.subscribers.lock().insert(key, context.sink().clone());
        context.cancelled().await;
        self.subscribers.lock().remove(&key);
        Ok(())
    }

    async fn subscribe(
        &self,
        _: SubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn set_level(
        &self,
        _: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let list = ListToolsResult { tools: self.catalogue.tools.clone(), ..Default::default() };
        Ok(list.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(answer) = self.call_plain(&request, &context).await {
            return answer.map(Into::into);
        }
        if let Some(answer) = asks::call(&request, &context).await {
            return answer.map(Into::into);
        }
        if let Some(answer) = inputs::call(self, &request, &context) {
            return answer;
        }
        if let Some(answer) = tasks::call(&self.tasks, &request, &context).await {
            return answer;
        }
        Err(ErrorData::invalid_params(format!("Unknown tool: {}", request.name), None))
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let list = ListResourcesResult { resources: self.catalogue.resources.clone(), ..Default::default() };
        Ok(list.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let resource_templates = self.catalogue.resource_templates.clone();
        let list = ListResourceTemplatesResult { resource_templates, ..Default::default() };
        Ok(list.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let content = self.answers.resource(&request.uri)?;
        Ok(content.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let list = ListPromptsResult { prompts: self.catalogue.prompts.clone(), ..Default::default() };
        Ok(list.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if let Some(answer) = inputs::prompt(&request) {
            return answer;
        }
        if let Some(known) = self.answers.prompts.get(&request.name) {
            return Ok(known.clone().into());
        }
        prompt_with_arguments(&request).map(Into::into)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let possible = ["paris", "park", "party", "1", "2", "3"];
        let typed = request.argument.value.as_str();
        let values =
            possible.iter().filter(|value| value.starts_with(typed)).map(ToString::to_string).collect();
        Ok(CompleteResult::new(CompletionInfo::new(values).map_err(internal)?))
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.tasks.get_task(&request.task_id)?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }
}

fn prompt_with_arguments(request: &GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
    let argument = |name: &str| {
        let value = request.arguments.as_ref().and_then(|all| all.get(name)).and_then(Value::as_str);
        value.ok_or_else(|| ErrorData::invalid_params(format!("`{name}` is required"), None))
    };
    let contents = match request.name.as_str() {
        "test_prompt_with_arguments" => {
            let said =
                format!("Prompt with arguments: arg1='{}', arg2='{}'", argument("arg1")?, argument("arg2")?);
            vec![json!({ "type": "text", "text": said })]
        }
        "test_prompt_with_embedded_resource" => {
            let text = "Embedded resource content for testing.";
            let resource = json!({ "uri": argument("resourceUri")?, "mimeType": "text/plain", "text": text });
            vec![
                json!({ "type": "resource", "resource": resource }),
                json!({ "type": "text", "text": "Please process the embedded resource above." }),
            ]
        }
        unknown => return Err(ErrorData::invalid_params(format!("Unknown prompt: {unknown}"), None)),
    };
    let messages: Vec<Value> =
        contents.into_iter().map(|content| json!({ "role": "user", "content": content })).collect();
    decode(
        json!({ "resultType": "complete", "description": "A prompt made of its arguments", "messages": messages }),
    )
}
