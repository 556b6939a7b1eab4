//! `grant.add`.

use std::time::Duration;

use bailiwick_model::GrantId;
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::{Action, Grant, Scope};
use bailiwick_store::WriteTx;

use super::GrantDetail;
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find};

/// A grant to make.
#[derive(Debug)]
pub struct NewGrant {
    /// Who shall have it: a principal by id or name …
    pub principal: Option<String>,
    /// … or a group.
    pub group: Option<String>,
    /// On what.
    pub scope: WantedScope,
    /// To do what; everything that the scope has if empty.
    pub actions: Vec<Action>,
    /// For how long; without end if absent.
    pub expires_in: Option<Duration>,
}

/// On what a grant shall be; servers and toolsets by id or name.
#[derive(Debug, Clone)]
pub enum WantedScope {
    /// Everything that a server offers.
    Server(String),
    /// Everything that a toolset selects.
    Toolset(String),
    /// One definition.
    Definition {
        /// Its server.
        server: String,
        /// Its kind.
        kind: DefinitionKind,
        /// Its key at the server. It need not exist yet.
        key: String,
    },
}

impl Control {
    /// Makes a grant.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn add_grant(&self, actor: &Actor, new: NewGrant) -> Result<GrantDetail, ControlError> {
        let mut change = self.change(actor).await?;
        let now = self.parts().clock.now();
        let asked = (new.principal.as_deref(), new.group.as_deref());
        let grant = Grant {
            id: GrantId::new(now, &*self.parts().entropy),
            grantee: find::grantee(&mut change.tx, actor, asked).await?,
            actions: actions(&new.scope, &new.actions)?,
            scope: resolve(&mut change.tx, actor, new.scope).await?,
            expires_at: new.expires_in.map(|lifetime| now.saturating_add(lifetime)),
            created_at: now,
        };
        change.tx.grants().insert(&grant).await?;
        change.commit(Touched::Grants, Told::new("grant.add", &grant.id).after(&grant)?).await?;
        self.show_grant(actor, grant.id).await
    }
}

async fn resolve(tx: &mut WriteTx, actor: &Actor, wanted: WantedScope) -> Result<Scope, ControlError> {
    Ok(match wanted {
        WantedScope::Server(server) => Scope::Server { server: find::server(tx, actor, &server).await?.id },
        WantedScope::Toolset(toolset) => {
            Scope::Toolset { toolset: find::toolset(tx, actor, &toolset).await?.id }
        }
        WantedScope::Definition { server, kind, key } => {
            if key.is_empty() || key.len() > 2048 {
                return Err(ControlError::invalid("scope", "a definition's key has 1 to 2048 bytes"));
            }
            Scope::Definition { server: find::server(tx, actor, &server).await?.id, kind, key }
        }
    })
}

/// The actions in their order, each once. An action that the definition cannot have is a mistake.
fn actions(scope: &WantedScope, wanted: &[Action]) -> Result<Vec<Action>, ControlError> {
    let possible: &[Action] = match scope {
        WantedScope::Definition { kind, .. } => match kind {
            DefinitionKind::Tool => &[Action::List, Action::Call],
            DefinitionKind::Prompt => &[Action::List, Action::Get],
            DefinitionKind::Resource | DefinitionKind::ResourceTemplate => &[Action::List, Action::Read],
        },
        WantedScope::Server(_) | WantedScope::Toolset(_) => &Action::ALL,
    };
    if let Some(wrong) = wanted.iter().find(|action| !possible.contains(action)) {
        let possible: Vec<_> = possible.iter().map(|action| action.as_str()).collect();
        let problem = format!("{} is not possible there; {} are", wrong.as_str(), possible.join(", "));
        return Err(ControlError::invalid("actions", problem));
    }
    Ok(possible.iter().copied().filter(|action| wanted.is_empty() || wanted.contains(action)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_has_the_actions_that_its_scope_can_have() {
        let tool = WantedScope::Definition {
            server: "files".into(),
            kind: DefinitionKind::Tool,
            key: "read".into(),
        };
        assert_eq!(actions(&tool, &[]).unwrap(), [Action::List, Action::Call]);
        assert_eq!(actions(&tool, &[Action::Call, Action::Call]).unwrap(), [Action::Call]);
        assert!(actions(&tool, &[Action::Read]).is_err());
        assert_eq!(actions(&WantedScope::Server("files".into()), &[]).unwrap(), Action::ALL);
    }
}
