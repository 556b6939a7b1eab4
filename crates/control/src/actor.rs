//! Who acts: the context that goes through every use-case, from the edge to the ledger.

use bailiwick_model::TeamId;
use bailiwick_model::principal::{Caller, Role};
use bailiwick_model::record::Who;

use crate::ControlError;

/// Who acts.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Somebody with a key for the admin API.
    Caller(Caller),
    /// The gateway itself: first start, discovery.
    Gateway,
}

impl Actor {
    /// What the actor may do on the admin API.
    pub fn role(&self) -> Role {
        match self {
            Self::Caller(caller) => caller.principal.role,
            Self::Gateway => Role::Admin,
        }
    }

    /// Passes whoever may read everything.
    ///
    /// # Errors
    /// [`ControlError::Forbidden`] for members.
    pub fn may_read(&self) -> Result<(), ControlError> {
        self.at_least(Role::Auditor)
    }

    /// Passes whoever may change something.
    ///
    /// # Errors
    /// [`ControlError::Forbidden`] for members and auditors.
    pub fn may_change(&self) -> Result<(), ControlError> {
        self.at_least(Role::Admin)
    }

    fn at_least(&self, needs: Role) -> Result<(), ControlError> {
        if self.role() >= needs { Ok(()) } else { Err(ControlError::Forbidden { needs }) }
    }

    /// Whether things of this team exist for the actor. Auditors and administrators see every team; this is
    /// the one place to change when roles become a team's own.
    pub fn sees(&self, team: TeamId) -> bool {
        match self {
            Self::Caller(caller) => caller.principal.role >= Role::Auditor || caller.principal.team == team,
            Self::Gateway => true,
        }
    }

    /// The team that new things belong to if nothing else is said.
    pub fn team(&self) -> Option<TeamId> {
        match self {
            Self::Caller(caller) => Some(caller.principal.team),
            Self::Gateway => None,
        }
    }

    /// What a record says of the actor.
    pub fn who(&self) -> Option<Who<'_>> {
        let Self::Caller(Caller { principal, key, .. }) = self else { return None };
        Some(Who {
            principal: principal.id,
            kind: principal.kind,
            issuer: &principal.issuer,
            subject: &principal.subject,
            team: principal.team,
            key: *key,
        })
    }
}
