//! A unit of work: the tables as they are within one transaction.
//!
//! `Tx<Read>` has the getters only, `Tx<Write>` the changes too, so a read path cannot write by mistake.

use std::marker::PhantomData;

use bailiwick_model::Generation;

use crate::StoreError;
use crate::pools::Connection;
use crate::sql::{Row, Statement, sql};
use crate::table::{
    admin_links::AdminLinks, body_keys::BodyKeys, discoveries::Discoveries, grants::Grants, groups::Groups,
    keys::Keys, principals::Principals, secrets::Secrets, servers::Servers, settings::Settings, teams::Teams,
    toolsets::Toolsets,
};

/// The channel on which PostgreSQL tells other nodes of a commit.
pub(crate) const CHANNEL: &str = "bailiwick_generation";

/// Marks a unit of work that only reads.
#[derive(Debug, Clone, Copy)]
pub struct Read;

/// Marks a unit of work that may write.
#[derive(Debug, Clone, Copy)]
pub struct Write;

/// A unit of work that only reads.
pub type ReadTx = Tx<Read>;

/// A unit of work that may write.
pub type WriteTx = Tx<Write>;

/// A unit of work. `M` is [`Read`] or [`Write`].
pub struct Tx<M> {
    connection: Connection,
    changed: bool,
    broken: bool,
    mode: PhantomData<M>,
}

impl<M> std::fmt::Debug for Tx<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("changed", &self.changed)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $method:ident: $table:ident),* $(,)?) => {
        impl<M> Tx<M> {
            $($(#[$doc])* pub fn $method(&mut self) -> $table<'_, M> { $table { tx: self } })*
        }
    };
}

tables! {
    /// Teams.
    teams: Teams,
    /// Users and agents.
    principals: Principals,
    /// Groups and who is in them.
    groups: Groups,
    /// Registered servers.
    servers: Servers,
    /// Servers' sealed secrets.
    secrets: Secrets,
    /// Keys for bodies in the ledger, sealed.
    body_keys: BodyKeys,
    /// What servers offer.
    discoveries: Discoveries,
    /// Toolsets and their selections.
    toolsets: Toolsets,
    /// Grants.
    grants: Grants,
    /// API keys.
    keys: Keys,
    /// One-time links for administrators.
    admin_links: AdminLinks,
    /// Facts about this installation.
    settings: Settings,
}

impl<M> Tx<M> {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, changed: false, broken: false, mode: PhantomData }
    }

    /// The generation as this unit of work sees it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn generation(&mut self) -> Result<Generation, StoreError> {
        let row = self.one(sql("SELECT value FROM generation WHERE id = 1")).await?;
        read_generation(row.as_ref())
    }

    pub(crate) async fn all(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.enter()?;
        let rows = statement.all(&mut self.connection).await?;
        self.broken = false;
        Ok(rows)
    }

    pub(crate) async fn one(&mut self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// INVARIANT: after a statement that failed, or was dropped halfway, nothing more is done and nothing is
    /// kept. PostgreSQL works so by itself; with SQLite half a unit of work could else be committed.
    fn enter(&mut self) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.broken, true) { Err(StoreError::Aborted) } else { Ok(()) }
    }
}

impl Tx<Write> {
    /// Runs a change that calls depend on: it bumps the generation if it touches a row. Says how many.
    pub(crate) async fn change(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let rows = self.note(statement).await?;
        self.changed |= rows > 0;
        Ok(rows)
    }

    /// Runs a change that no call depends on: it leaves the generation alone. Says how many rows.
    pub(crate) async fn note(&mut self, statement: Statement) -> Result<u64, StoreError> {
        self.enter()?;
        let rows = statement.execute(&mut self.connection).await?;
        self.broken = false;
        Ok(rows)
    }

    /// Keeps everything that was done, at once, and says under which generation it is in force: the next
    /// one if something changed that calls depend on, else the one before.
    ///
    /// # Errors
    /// If it cannot be kept; then nothing is. [`StoreError::Aborted`] if a statement before failed.
    /// [`StoreError::Unavailable`] leaves open whether it was, as always when a connection breaks during a
    /// commit.
    pub async fn commit(mut self) -> Result<Generation, StoreError> {
        let generation = if self.changed { self.bump().await? } else { self.generation().await? };
        self.connection.commit().await?;
        Ok(generation)
    }

    /// INVARIANT: generations are committed in their order. The row stays locked from here to the commit.
    async fn bump(&mut self) -> Result<Generation, StoreError> {
        let row =
            self.one(sql("UPDATE generation SET value = value + 1 WHERE id = 1 RETURNING value")).await?;
        let generation = read_generation(row.as_ref())?;
        if matches!(self.connection, Connection::Postgres(_)) {
            let notify = sql("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(generation.to_string());
            self.note(notify).await?;
        }
        Ok(generation)
    }
}

fn read_generation(row: Option<&Row>) -> Result<Generation, StoreError> {
    let row = row.ok_or_else(|| StoreError::damaged("generation", "its row is absent"))?;
    let value = row.integer("value")?;
    u64::try_from(value).map(Generation).map_err(|e| StoreError::damaged("generation", e))
}
