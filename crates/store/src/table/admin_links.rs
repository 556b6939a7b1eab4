//! One-time links that let an administrator in: made at the first start, dead after use. The store has the
//! hash of the link's token only.

use bailiwick_model::{PrincipalId, Timestamp};

use crate::sql::{Value, sql};
use crate::{StoreError, Tx, Write};

/// A one-time link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminLink {
    /// SHA-256 of the token in the link.
    pub token_hash: [u8; 32],
    /// Whom it lets in.
    pub principal: PrincipalId,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One-time links, within a unit of work. None of their changes bumps the generation.
#[derive(Debug)]
pub struct AdminLinks<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> AdminLinks<'_, M> {
    /// The link of this token, used or not.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, token_hash: &[u8; 32]) -> Result<Option<AdminLink>, StoreError> {
        let query = sql("SELECT * FROM admin_links WHERE token_hash = $1").bind(token_hash.as_slice());
        let Some(row) = self.tx.one(query).await? else { return Ok(None) };
        Ok(Some(AdminLink {
            token_hash: row.hash("token_hash")?,
            principal: row.parsed("principal")?,
            expires_at: row.moment("expires_at")?,
            used_at: row.optional_moment("used_at")?,
            created_at: row.moment("created_at")?,
        }))
    }
}

impl AdminLinks<'_, Write> {
    /// Adds a link.
    ///
    /// # Errors
    /// [`StoreError::Dangling`] for its principal.
    pub async fn insert(&mut self, link: &AdminLink) -> Result<(), StoreError> {
        let insert = sql("INSERT INTO admin_links (token_hash, principal, expires_at, used_at, created_at) \
             VALUES ($1, $2, $3, $4, $5)")
        .bind(link.token_hash.as_slice())
        .bind(Value::written(&link.principal))
        .bind(link.expires_at)
        .bind(link.used_at)
        .bind(link.created_at);
        self.tx.note(insert).await.map(drop)
    }

    /// Uses a link and says whom it lets in; `None` if there is none such, it has ended or was used.
    ///
    /// INVARIANT: of several that use one link at once, exactly one is let in, once it commits: the check
    /// and the mark are one statement.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn consume(
        &mut self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<PrincipalId>, StoreError> {
        let update = sql("UPDATE admin_links SET used_at = $2 \
             WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING principal")
        .bind(token_hash.as_slice())
        .bind(now);
        self.tx.one(update).await?.map(|row| row.parsed("principal")).transpose()
    }

    /// Forgets links that ended before this moment; says how many.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn forget_expired(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.tx.note(sql("DELETE FROM admin_links WHERE expires_at <= $1").bind(now)).await
    }
}
