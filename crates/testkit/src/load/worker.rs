//! One connection: handshake where the era has one, then call after call.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::request::{self, Request};
use super::{Era, Settings, Tally, Until};
use crate::http1::{Connection, Http1Error};

/// Between two attempts to connect again.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a connection is over.
enum Over {
    /// All calls are made.
    Done,
    /// The server said that it closes it.
    Closed,
    /// It failed, for this reason.
    Failed(String),
}

pub(super) async fn run(settings: Rc<Settings>, tally: Rc<RefCell<Tally>>, number: usize, start: Instant) {
    let worker = Worker { settings: &settings, tally: &tally, number, start };
    while !worker.finished() {
        match worker.one_connection().await {
            Over::Done => return,
            Over::Closed => {}
            Over::Failed(kind) => {
                tally.borrow_mut().bad(&kind);
                if !settings.reconnect {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

struct Worker<'a> {
    settings: &'a Settings,
    tally: &'a RefCell<Tally>,
    number: usize,
    start: Instant,
}

impl Worker<'_> {
    fn finished(&self) -> bool {
        match self.settings.until {
            Until::Elapsed(time) => self.start.elapsed() >= self.settings.warmup + time,
            Until::Requests(count) => self.tally.borrow().started >= count,
        }
    }

    async fn one_connection(&self) -> Over {
        let opened = timeout(self.settings.timeout, self.open()).await;
        let (mut connection, mut request) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(kind)) => return Over::Failed(kind),
            Err(_) => return Over::Failed("connect_timeout".to_owned()),
        };
        while !self.finished() {
            self.tally.borrow_mut().started += 1;
            request.next();
            let sent = Instant::now();
            let answer = match timeout(self.settings.timeout, connection.send(request.bytes())).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => return Over::Failed(kind(&error)),
                Err(_) => return Over::Failed("timeout".to_owned()),
            };
            let answered = Instant::now();
            let mut tally = self.tally.borrow_mut();
            if answer.status != 200 {
                tally.bad(&format!("status_{}", answer.status));
            } else if request.answered_by(answer.body) {
                tally.good(request.text(), sent, answered);
            } else {
                tally.bad("wrong_answer");
            }
            if answer.close {
                return Over::Closed;
            }
        }
        Over::Done
    }

    async fn open(&self) -> Result<(Connection, Request), String> {
        let mut connection =
            Connection::open(self.settings.address).await.map_err(|_| "connect".to_owned())?;
        let session = match self.settings.era {
            Era::Modern => None,
            Era::Legacy => self.initialize(&mut connection).await?,
        };
        let run = std::process::id();
        Ok((connection, Request::new(self.settings, session.as_deref(), run, self.number)))
    }

    async fn initialize(&self, connection: &mut Connection) -> Result<Option<String>, String> {
        let initialize = request::handshake(self.settings, None, request::INITIALIZE);
        let answer = connection.send(&initialize).await.map_err(|error| kind(&error))?;
        if answer.status != 200 {
            return Err(format!("initialize_status_{}", answer.status));
        }
        let session = answer.header("mcp-session-id").map(str::to_owned);
        let initialized = request::handshake(self.settings, session.as_deref(), request::INITIALIZED);
        let answer = connection.send(&initialized).await.map_err(|error| kind(&error))?;
        if answer.status != 202 {
            return Err(format!("initialized_status_{}", answer.status));
        }
        Ok(session)
    }
}

fn kind(error: &Http1Error) -> String {
    match error {
        Http1Error::Io(error) => format!("io_{:?}", error.kind()),
        Http1Error::Closed => "closed".to_owned(),
        Http1Error::Malformed => "malformed_http".to_owned(),
    }
}
