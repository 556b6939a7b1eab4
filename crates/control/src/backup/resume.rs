//! The first start on a restored state: it is recorded, what was taken away after the backup is taken away again, and
//! what may be missing is said.

use bailiwick_model::record::Lifecycle;
use bailiwick_model::{Record, Timestamp};
use serde_json::json;

use super::{Restoration, Withdrawal};
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, PrincipalChange, ServerChange, find};

impl Control {
    /// Makes a restored state ready, if it is one; to be called before anybody is let in. At later starts it only
    /// says that the state was restored.
    ///
    /// # Errors
    /// [`ControlError`]; the next start tries again.
    pub async fn resume_restored(&self) -> Result<(), ControlError> {
        let data = &self.parts().settings.data_dir;
        let Some(mut restoration) = Restoration::load(data)? else { return Ok(()) };
        if restoration.started_at.is_none() {
            self.record_restored(&restoration).await?;
            self.forget_links(&restoration).await?;
            for withdrawal in restoration.withdrawals.clone() {
                self.withdraw_again(&withdrawal, &mut restoration.unclear).await?;
            }
            restoration.started_at = Some(self.parts().clock.now());
            restoration.save(data)?;
        }
        warn(&restoration);
        Ok(())
    }

    /// What is known of the restored state that this gateway runs on; `None` if it does not, or an administrator has
    /// removed the note.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn restoration(&self, actor: &Actor) -> Result<Option<Restoration>, ControlError> {
        actor.may_read()?;
        let data = self.parts().settings.data_dir.clone();
        let load = tokio::task::spawn_blocking(move || Restoration::load(&data));
        Ok(load.await.map_err(ControlError::internal)??)
    }

    async fn record_restored(&self, restoration: &Restoration) -> Result<(), ControlError> {
        let record = Record::Lifecycle(Lifecycle {
            event: "restored",
            version: env!("CARGO_PKG_VERSION"),
            node: "local",
            backup: Some(restoration.taken_at),
        });
        let recording = self.parts().recorder.append(&record);
        recording.settled().await.map(drop).map_err(ControlError::AuditUnavailable)
    }

    /// A one-time link that was used after the backup would let somebody in once more.
    async fn forget_links(&self, restoration: &Restoration) -> Result<(), ControlError> {
        let mut change = self.change(&Actor::Gateway).await?;
        let links = change.tx.admin_links().forget_expired(Timestamp::from_micros(i64::MAX)).await?;
        let after = json!({
            "taken_at": restoration.taken_at,
            "records": restoration.records,
            "continued": restoration.continued,
            "withdrawals": restoration.withdrawals.len(),
            "links_forgotten": links,
        });
        change.commit(Touched::Nothing, Told::new("restore", "state").after(&after)?).await
    }

    /// By the same use-cases as an administrator, so it is on record like theirs.
    async fn withdraw_again(
        &self,
        withdrawal: &Withdrawal,
        unclear: &mut Vec<String>,
    ) -> Result<(), ControlError> {
        match self.withdraw(withdrawal).await {
            // What the backup does not know was made after it, and is not there.
            Ok(()) | Err(ControlError::NotFound { .. }) => Ok(()),
            Err(error @ (ControlError::Conflict(_) | ControlError::Invalid { .. })) => {
                unclear.push(format!("{}: {error}", json!(withdrawal)));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn withdraw(&self, withdrawal: &Withdrawal) -> Result<(), ControlError> {
        let actor = &Actor::Gateway;
        match withdrawal {
            Withdrawal::Key { id } => self.revoke_key(actor, *id).await.map(drop),
            Withdrawal::Grant { id } => self.revoke_grant(actor, *id).await,
            Withdrawal::Group { id } => self.remove_group(actor, &id.to_string()).await,
            Withdrawal::Bodies { keys } => self.destroy_again(keys).await,
            Withdrawal::Server { id } => self.remove_server(actor, &id.to_string()).await,
            Withdrawal::Toolset { id } => self.remove_toolset(actor, &id.to_string()).await,
            Withdrawal::Member { group, id } => {
                self.set_member(actor, (&group.to_string(), &id.to_string()), false).await.map(drop)
            }
            Withdrawal::ServerOff { id } => {
                let off = ServerChange { enabled: Some(false), ..ServerChange::default() };
                self.update_server(actor, &id.to_string(), off).await.map(drop)
            }
            Withdrawal::Principal { id, enabled, role } => {
                let id = id.to_string();
                let now = find::principal(&mut self.parts().store.read().await?, actor, &id).await?;
                let weaker = PrincipalChange {
                    display_name: None,
                    role: Some(now.role.min(*role)),
                    enabled: Some(now.enabled && *enabled),
                };
                self.update_principal(actor, &id, weaker).await.map(drop)
            }
        }
    }
}

fn warn(restoration: &Restoration) {
    tracing::warn!(
        backup = %restoration.taken_at,
        records = restoration.records,
        since_known = restoration.since_known,
        taken_away_again = restoration.withdrawals.len(),
        "this state was restored from a backup; remove restored.json when what may be missing was looked at"
    );
    if !restoration.since_known {
        tracing::warn!(
            "whatever was revoked after the backup is in force again: nobody gave the ledger of after it"
        );
    }
    for unclear in &restoration.unclear {
        tracing::warn!(unclear, "a change after the backup was not made again; look at it");
    }
}
