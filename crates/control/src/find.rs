//! Finding things by what people write: an id, or a name.
//!
//! What the actor may not see is answered exactly like what does not exist.

use bailiwick_model::grant::Grantee;
use bailiwick_model::principal::{Group, LOCAL_ISSUER, Principal, Team};
use bailiwick_model::server::Server;
use bailiwick_model::toolset::Toolset;
use bailiwick_model::{Name, TeamId};
use bailiwick_store::Tx;

use crate::{Actor, ControlError};

/// The team of this id or name.
pub(crate) async fn team<M>(tx: &mut Tx<M>, actor: &Actor, asked: &str) -> Result<Team, ControlError> {
    let found = match asked.parse() {
        Ok(id) => tx.teams().get(id).await?,
        Err(_) => match asked.parse() {
            Ok(name) => tx.teams().by_name(&name).await?,
            Err(_) => None,
        },
    };
    found.filter(|team| actor.sees(team.id)).ok_or_else(|| ControlError::not_found("team", asked))
}

/// The team of this id or name; the actor's own if nothing is said.
pub(crate) async fn team_or_own<M>(
    tx: &mut Tx<M>,
    actor: &Actor,
    asked: Option<&str>,
) -> Result<Team, ControlError> {
    match (asked, actor.team()) {
        (Some(asked), _) => team(tx, actor, asked).await,
        (None, Some(own)) => team(tx, actor, &own.to_string()).await,
        (None, None) => Err(ControlError::invalid("team", "say which team")),
    }
}

/// The principal of this id, or of this subject made here.
pub(crate) async fn principal<M>(
    tx: &mut Tx<M>,
    actor: &Actor,
    asked: &str,
) -> Result<Principal, ControlError> {
    let found = match asked.parse() {
        Ok(id) => tx.principals().get(id).await?,
        Err(_) => tx.principals().by_subject(LOCAL_ISSUER, asked).await?,
    };
    found.filter(|found| actor.sees(found.team)).ok_or_else(|| ControlError::not_found("principal", asked))
}

/// The group of this id or name.
pub(crate) async fn group<M>(tx: &mut Tx<M>, asked: &str) -> Result<Group, ControlError> {
    let found = match asked.parse() {
        Ok(id) => tx.groups().get(id).await?,
        Err(_) => match asked.parse() {
            Ok(name) => tx.groups().by_name(&name).await?,
            Err(_) => None,
        },
    };
    found.ok_or_else(|| ControlError::not_found("group", asked))
}

/// The server of this id or name.
pub(crate) async fn server<M>(tx: &mut Tx<M>, actor: &Actor, asked: &str) -> Result<Server, ControlError> {
    let found = match asked.parse() {
        Ok(id) => tx.servers().get(id).await?,
        Err(_) => match asked.parse() {
            Ok(name) => tx.servers().by_name(&name).await?,
            Err(_) => None,
        },
    };
    found.filter(|found| actor.sees(found.team)).ok_or_else(|| ControlError::not_found("server", asked))
}

/// The toolset of this id or name.
pub(crate) async fn toolset<M>(tx: &mut Tx<M>, actor: &Actor, asked: &str) -> Result<Toolset, ControlError> {
    let found = match asked.parse() {
        Ok(id) => tx.toolsets().get(id).await?,
        Err(_) => match asked.parse() {
            Ok(name) => tx.toolsets().by_name(&name).await?,
            Err(_) => None,
        },
    };
    found.filter(|found| actor.sees(found.team)).ok_or_else(|| ControlError::not_found("toolset", asked))
}

/// The principal or group that is asked for, exactly one of which is said.
pub(crate) async fn grantee<M>(
    tx: &mut Tx<M>,
    actor: &Actor,
    asked: (Option<&str>, Option<&str>),
) -> Result<Grantee, ControlError> {
    match asked {
        (Some(asked), None) => Ok(Grantee::Principal(principal(tx, actor, asked).await?.id)),
        (None, Some(asked)) => Ok(Grantee::Group(group(tx, asked).await?.id)),
        _ => Err(ControlError::invalid("principal", "say either a principal or a group")),
    }
}

/// The name of a team that something belongs to.
pub(crate) async fn team_name<M>(tx: &mut Tx<M>, id: TeamId) -> Result<Name, ControlError> {
    let team = tx.teams().get(id).await?;
    team.map(|team| team.name).ok_or_else(|| ControlError::internal(format!("{id} is owned by nobody")))
}
