//! The one way to change state: a unit of work that is recorded before it is in force.
//!
//! INVARIANT: [`Change::commit`] is the only place in this crate that commits a change that somebody made. It
//! writes the record first, and the change is undone if the ledger does not take it.

use std::fmt::Display;

use bailiwick_model::record::AdminChange;
use bailiwick_model::{Record, RecordFailed};
use bailiwick_store::WriteTx;
use serde::Serialize;
use serde_json::Value;

use crate::publish::Touched;
use crate::{Actor, Control, ControlError};

/// A change under way.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    control: &'a Control,
    actor: &'a Actor,
    /// The unit of work.
    pub(crate) tx: WriteTx,
}

/// What a change is, for the record.
#[derive(Debug)]
pub(crate) struct Told {
    /// `server.add` …
    pub(crate) operation: &'static str,
    /// The id of what is changed.
    pub(crate) object: String,
    /// What it was, without secrets.
    pub(crate) before: Option<Value>,
    /// What it shall be, without secrets.
    pub(crate) after: Option<Value>,
}

impl Told {
    pub(crate) fn new<D: Display + ?Sized>(operation: &'static str, object: &D) -> Self {
        Self { operation, object: object.to_string(), before: None, after: None }
    }

    pub(crate) fn before(mut self, thing: &impl Serialize) -> Result<Self, ControlError> {
        self.before = Some(serde_json::to_value(thing).map_err(ControlError::internal)?);
        Ok(self)
    }

    pub(crate) fn after(mut self, thing: &impl Serialize) -> Result<Self, ControlError> {
        self.after = Some(serde_json::to_value(thing).map_err(ControlError::internal)?);
        Ok(self)
    }

    /// Names the secret values that are set anew; the values themselves are in no record.
    pub(crate) fn secrets<'n>(mut self, names: impl Iterator<Item = &'n String>) -> Self {
        let names: Vec<&str> = names.map(String::as_str).collect();
        if let (Some(Value::Object(after)), false) = (&mut self.after, names.is_empty()) {
            after.insert("secrets_set".into(), names.into());
        }
        self
    }
}

impl Control {
    /// Begins a change, if the actor may make one and the ledger can record it.
    pub(crate) async fn change<'a>(&'a self, actor: &'a Actor) -> Result<Change<'a>, ControlError> {
        actor.may_change()?;
        if !self.parts().recorder.is_available() {
            return Err(ControlError::AuditUnavailable(RecordFailed::Unwritable));
        }
        let tx = self.parts().store.begin().await?;
        Ok(Change { control: self, actor, tx })
    }
}

impl Change<'_> {
    /// Records the change, brings it into force, and lets the data path know.
    pub(crate) async fn commit(self, touched: Touched, told: Told) -> Result<(), ControlError> {
        let Self { control, actor, tx } = self;
        record(control, actor, &told).await?;
        match tx.commit().await {
            Ok(generation) => {
                control.publish(generation, touched).await;
                Ok(())
            }
            Err(error) => {
                // The record above says what was wanted; this one says that it did not come to be.
                let failed =
                    Told { operation: "change.failed", before: told.after, after: told.before, ..told };
                if let Err(error) = record(control, actor, &failed).await {
                    tracing::error!(%error, "the ledger tells of a change that did not come to be");
                }
                Err(error.into())
            }
        }
    }
}

/// Records what an actor does.
pub(crate) async fn record(control: &Control, actor: &Actor, told: &Told) -> Result<(), ControlError> {
    let recording = control.parts().recorder.append(&Record::AdminChange(AdminChange {
        who: actor.who(),
        operation: told.operation,
        object: &told.object,
        before: told.before.as_ref(),
        after: told.after.as_ref(),
    }));
    recording.settled().await.map(drop).map_err(ControlError::AuditUnavailable)
}
