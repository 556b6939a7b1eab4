//! What every test needs: a set of servers, permits, requests, and waiting for a condition.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick_config::{Confine, Settings as Config, Source};
use bailiwick_mcp::{Era, RawId};
use bailiwick_model::call::Trace;
use bailiwick_model::grant::{Action, Grant, Grantee, Scope};
use bailiwick_model::principal::{Caller, Principal, PrincipalKind, Role};
use bailiwick_model::server::{Confinement, Server, Sharing, Timeouts, Transport, Value};
use bailiwick_model::{Clock, FrozenClock, Generation, GrantId, PrincipalId, ServerId, TeamId, Timestamp};
use bailiwick_policy::{
    Catalogue, DiscoveryPermit, Grants, Parts as PolicyParts, People, Permit, Rules, Snapshot, Target,
};
use bailiwick_runtime::{EgressRules, Outbound, OutboundSettings, SystemClock, Tasks};
use bailiwick_upstream::{
    Answer, AnswerBody, Conversation, Event, Kind, Parts, Request, ServerSpec, Settings, UpstreamError,
    Upstreams,
};
use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

/// A room with its servers.
pub(crate) struct World {
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) tasks: Tasks,
    pub(crate) specs: Vec<ServerSpec>,
    pub(crate) folder: tempfile::TempDir,
    permits: std::sync::Mutex<BTreeMap<(usize, PrincipalId), Permit>>,
}

/// How a room is set up.
pub(crate) struct Setting {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) confine: Confine,
    pub(crate) config: &'static str,
}

impl Default for Setting {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock::new()), confine: Confine::Auto, config: "" }
    }
}

impl World {
    pub(crate) fn new(specs: Vec<ServerSpec>) -> Self {
        Self::with(Setting::default(), specs)
    }

    pub(crate) fn with(setting: Setting, specs: Vec<ServerSpec>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(setting.config);
        config.upstream.children.confine = setting.confine;
        let tasks = Tasks::new();
        let upstreams = Upstreams::new(Parts {
            outbound: outbound(),
            clock: setting.clock,
            tasks: tasks.clone(),
            settings: Settings {
                upstream: config.upstream,
                limits: config.limits,
                helper: helper(),
                path: "/usr/local/bin:/usr/bin:/bin".to_owned(),
                scratch: folder.path().join("scratch"),
            },
        });
        upstreams.apply(specs.clone());
        Self { upstreams, tasks, specs, folder, permits: std::sync::Mutex::default() }
    }

    pub(crate) fn permit(&self, server: usize, principal: PrincipalId) -> Permit {
        let mut permits = self.permits.lock().unwrap();
        permits
            .entry((server, principal))
            .or_insert_with(|| permit(&self.specs[server].server, principal))
            .clone()
    }

    /// A call of a tool; its answer's last message.
    pub(crate) async fn call(
        &self,
        conversation: &Conversation,
        tool: &str,
        arguments: Json,
    ) -> Result<Json, UpstreamError> {
        let answer = self.send(conversation, call_body(json!(1), tool, arguments)).await?;
        last(answer).await
    }

    pub(crate) async fn send(
        &self,
        conversation: &Conversation,
        body: Json,
    ) -> Result<Answer, UpstreamError> {
        let index = self.specs.iter().position(|spec| spec.server.id == conversation.server).unwrap();
        let permit = self.permit(index, conversation.principal);
        let body = dressed(conversation, body);
        let (id, method) = (body["id"].to_string(), body["method"].as_str().unwrap().to_owned());
        let name = body["params"]["name"].as_str().map(str::to_owned);
        let request = Request {
            body: body.to_string().into(),
            id: RawId::new(&id).unwrap(),
            method: &method,
            name: name.as_deref(),
            params: Vec::new(),
            trace: &Trace::default(),
        };
        if method == "initialize" {
            return Ok(self.upstreams.initialize(&permit, conversation, request).await?.0);
        }
        self.upstreams.request(&permit, conversation, request).await
    }

    pub(crate) async fn discover(
        &self,
        server: usize,
    ) -> Result<bailiwick_model::definition::Discovery, UpstreamError> {
        let permit = DiscoveryPermit::for_server(&self.specs[server].server).unwrap();
        self.upstreams.discover(&permit).await
    }

    pub(crate) fn health(&self, server: usize) -> bailiwick_upstream::Health {
        self.upstreams.health(self.specs[server].server.id).unwrap()
    }
}

/// How long the fastest of some attempts takes: this machine is busy with other tests.
pub(crate) async fn fastest(attempt: impl AsyncFn()) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        attempt().await;
        fastest = fastest.min(started.elapsed());
    }
    fastest
}

/// Modern requests describe themselves.
fn dressed(conversation: &Conversation, mut body: Json) -> Json {
    if conversation.era.is_modern() {
        let meta = &mut body["params"]["_meta"];
        meta["io.modelcontextprotocol/protocolVersion"] = json!(conversation.era.as_str());
        if meta.get("io.modelcontextprotocol/clientCapabilities").is_none() {
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
    }
    body
}

pub(crate) fn call_body(id: Json, tool: &str, arguments: Json) -> Json {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

pub(crate) fn config(text: &str) -> Config {
    let source = Source { name: "test".to_owned(), text: text.to_owned() };
    Config::load(Some(source), [], &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap()
}

/// Loopback is allowed, as an operator of such servers would.
pub(crate) fn outbound() -> Outbound {
    let rules = EgressRules::new(vec!["127.0.0.1".parse().unwrap()]);
    Outbound::new(OutboundSettings { rules, ..OutboundSettings::default() }).unwrap()
}

/// The example `child`: helper and scripted server in one.
pub(crate) fn helper() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(|deps| deps.parent()).unwrap();
    target.join("examples").join("child")
}

pub(crate) const ALICE: PrincipalId = PrincipalId::from_bits(1 << 80);
pub(crate) const BOB: PrincipalId = PrincipalId::from_bits(2 << 80);

fn server(number: u128, transport: Transport) -> ServerSpec {
    let server = Server {
        id: ServerId::from_bits(number),
        name: format!("server-{number}").parse().unwrap(),
        team: TeamId::from_bits(1),
        description: String::new(),
        transport,
        enabled: true,
        timeouts: Timeouts::default(),
        capture: bailiwick_model::Capture::default(),
        created_at: Timestamp::default(),
    };
    ServerSpec { server: Arc::new(server), secrets: BTreeMap::new() }
}

pub(crate) fn http(number: u128, url: &str) -> ServerSpec {
    server(number, Transport::Http { url: url.to_owned(), headers: BTreeMap::new() })
}

pub(crate) fn with_secret_header(mut spec: ServerSpec, name: &str, secret: &str) -> ServerSpec {
    change(&mut spec, |server| {
        if let Transport::Http { headers, .. } = &mut server.transport {
            headers.insert(name.to_owned(), Value::Secret);
        }
    });
    spec.secrets.insert(name.to_owned(), SecretString::from(secret));
    spec
}

pub(crate) fn change(spec: &mut ServerSpec, by: impl FnOnce(&mut Server)) {
    let mut server = Server::clone(&spec.server);
    by(&mut server);
    spec.server = Arc::new(server);
}

pub(crate) fn impatient(mut spec: ServerSpec) -> ServerSpec {
    change(&mut spec, |server| {
        server.timeouts = Timeouts { connect_ms: 500, first_byte_ms: 500, idle_ms: 500 }
    });
    spec
}

pub(crate) fn stdio(number: u128, behaviour: &str) -> ServerSpec {
    server(
        number,
        Transport::Stdio {
            command: helper().to_str().unwrap().to_owned(),
            args: vec![behaviour.to_owned()],
            env: BTreeMap::new(),
            cwd: None,
            sharing: Sharing::Principal,
            confinement: Confinement::default(),
        },
    )
}

pub(crate) fn modern(spec: &ServerSpec, principal: PrincipalId) -> Conversation {
    Conversation {
        server: spec.server.id,
        era: Era::MODERN,
        principal,
        client: principal.to_bits(),
        kind: Kind::Modern,
    }
}

pub(crate) fn initialize_params() -> Bytes {
    Bytes::from_static(
        br#"{"protocolVersion":"2025-11-25","capabilities":{"sampling":{}},"clientInfo":{"name":"t","version":"1"}}"#,
    )
}

pub(crate) fn pooled(spec: &ServerSpec, principal: PrincipalId) -> Conversation {
    let kind = Kind::Pooled { initialize: initialize_params() };
    Conversation { kind, era: Era::LEGACY, ..modern(spec, principal) }
}

pub(crate) fn own(spec: &ServerSpec, principal: PrincipalId, session: Option<&str>) -> Conversation {
    let kind = Kind::Own { initialize: initialize_params(), session: session.map(Into::into) };
    Conversation { kind, era: Era::LEGACY, ..modern(spec, principal) }
}

/// The last message of an answer.
pub(crate) async fn last(answer: Answer) -> Result<Json, UpstreamError> {
    match answer.body {
        AnswerBody::Json(body) => Ok(serde_json::from_slice(&body).unwrap()),
        AnswerBody::Stream(_) => {
            let messages = all(answer).await?;
            Ok(messages.last().cloned().unwrap_or_default())
        }
        AnswerBody::Empty => Ok(Json::Null),
    }
}

/// All messages of an answer's stream.
pub(crate) async fn all(answer: Answer) -> Result<Vec<Json>, UpstreamError> {
    let mut messages = Vec::new();
    for event in events(answer).await {
        let data = event?.data.unwrap_or_default();
        if !data.is_empty() {
            messages.push(serde_json::from_slice(&data).unwrap());
        }
    }
    Ok(messages)
}

/// All events of an answer's stream, up to the first error.
pub(crate) async fn events(answer: Answer) -> Vec<Result<Event, UpstreamError>> {
    let AnswerBody::Stream(mut stream) = answer.body else { panic!("no stream: {answer:?}") };
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event);
    }
    events
}

/// A permit for a server as a whole, as policy gives it.
pub(crate) fn permit(server: &Arc<Server>, principal: PrincipalId) -> Permit {
    let who = Arc::new(Principal {
        id: principal,
        kind: PrincipalKind::Agent,
        issuer: "bailiwick".to_owned(),
        subject: principal.to_string(),
        display_name: String::new(),
        team: server.team,
        role: Role::Member,
        enabled: true,
        created_at: Timestamp::default(),
    });
    let grant = Grant {
        id: GrantId::from_bits(1),
        grantee: Grantee::Principal(principal),
        scope: Scope::Server { server: server.id },
        actions: Action::ALL.to_vec(),
        expires_at: None,
        created_at: Timestamp::default(),
    };
    let source = bailiwick_policy::Source { server: Arc::clone(server), discovery: None, stale: false };
    let snapshot = Snapshot::new(PolicyParts {
        generation: Generation(1),
        keys: Arc::default(),
        people: Arc::new(People::build([Arc::clone(&who)], [])),
        catalogue: Arc::new(Catalogue::build(vec![source], [])),
        grants: Arc::new(Grants::build([Arc::new(grant)])),
        rules: Arc::new(Rules::builtin()),
    });
    let caller = Caller { principal: who, key: None, expires_at: None };
    let target = Target::Server(snapshot.catalogue.server(server.name.as_str()).unwrap());
    snapshot.decide(&caller, Action::List, target, Timestamp::default()).permit().unwrap()
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, deadline: Duration, is_so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let what = what.to_owned();
    let mut is_so = is_so;
    async move {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < deadline, "{what} did not come to be");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) fn frozen() -> Arc<FrozenClock> {
    Arc::new(FrozenClock::at(Timestamp::from_micros(1_700_000_000_000_000)))
}
