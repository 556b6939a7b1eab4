//! One decision, made from nothing remembered: find the thing in the snapshot's own catalogue, put it and
//! the principal before the policies, and turn what they say into a permit or a denial.

use std::sync::Arc;

use bailiwick_model::Timestamp;
use bailiwick_model::definition::Definition;
use bailiwick_model::grant::Action;
use cedar_policy::{Context, Request};

use crate::catalogue::CatalogueServer;
use crate::decision::{Decision, Denial};
use crate::entities::{Slice, Unbuildable, action_uid, use_of};
use crate::explain::{Refusal, explain};
use crate::grants::earlier;
use crate::permit::{Allowed, Permit, PermitSubject};
use crate::rules::Judgement;
use crate::snapshot::Parts;
use crate::standing::Standing;

/// The most grants that one decision names: a principal may hold thousands that reach one server.
const NAMED_GRANTS: usize = 8;

/// What is asked about, in the catalogue of the snapshot that is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Thing<'a> {
    Server,
    Definition(&'a Arc<Definition>),
    Uri(&'a str),
}

impl Thing<'_> {
    /// Whether the schema knows the action on this. Policies are judged for requests that fit the schema
    /// only: they were validated for no others.
    fn knows(&self, action: Action) -> bool {
        action == Action::List
            || match self {
                Self::Server => false,
                Self::Definition(definition) => action == use_of(definition.kind),
                Self::Uri(_) => action == Action::Read,
            }
    }
}

/// One case before the policies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) standing: &'a Standing,
    pub(crate) server: &'a Arc<CatalogueServer>,
    pub(crate) thing: Thing<'a>,
    pub(crate) action: Action,
}

impl Case<'_> {
    /// Decides. `visible` tells whether the caller may list the thing; it is asked for denials only.
    pub(crate) fn decide(&self, visible: impl FnOnce() -> bool) -> Decision {
        if !self.thing.knows(self.action) {
            return self.deny(Refusal::NotApplicable, visible);
        }
        let made;
        let slice = match self.thing {
            Thing::Server => self.server.own_slice().as_ref(),
            Thing::Definition(definition) => match self.server.slice(definition.kind, &definition.key) {
                Some(slice) => slice.as_ref(),
                None => return self.deny(Refusal::Absent, || false),
            },
            Thing::Uri(uri) => {
                made = Slice::of_uri(&self.server.server, uri);
                made.as_ref()
            }
        };
        let judged = slice
            .map_err(ToString::to_string)
            .and_then(|slice| Ok((slice, self.judge(slice).map_err(|unbuildable| unbuildable.to_string())?)));
        match judged {
            Ok((slice, Judgement::Permitted(policies))) => self.allow(slice, policies),
            Ok((_, Judgement::Forbidden(policies))) => self.deny(Refusal::Forbidden(policies), visible),
            Ok((_, Judgement::Unmentioned)) => self.deny(Refusal::NoGrant, visible),
            Ok((_, Judgement::Failed(policies))) => self.deny(Refusal::Failed(policies), visible),
            Err(reason) => self.deny(Refusal::Undecidable(reason), || false),
        }
    }

    fn judge(&self, slice: &Slice) -> Result<Judgement, Unbuildable> {
        let principal = self.standing.entity(self.server, slice, self.action)?;
        let entities = slice.entities.clone().add_entities([principal], None).map_err(Box::new)?;
        let request = Request::new(
            self.standing.uid.clone(),
            action_uid(self.action).clone(),
            slice.uid.clone(),
            Context::empty(),
            None,
        )
        .expect("without a schema to check against there is nothing to refuse");
        Ok(self.parts.rules.judge(self.action, &request, &entities))
    }

    fn allow(&self, slice: &Slice, policies: Vec<Box<str>>) -> Decision {
        let grants = self.standing.grants_for(self.server, slice, self.action);
        let valid_until = grants.iter().fold(None::<Timestamp>, |end, grant| earlier(end, grant.expires_at));
        let named = grants.iter().take(NAMED_GRANTS).map(|grant| grant.id.to_string().into());
        let allowed = Allowed {
            principal: self.standing.principal().id,
            server: Arc::clone(&self.server.server),
            subject: match self.thing {
                Thing::Server => PermitSubject::Server,
                Thing::Definition(definition) => PermitSubject::Definition(Arc::clone(definition)),
                Thing::Uri(uri) => PermitSubject::Uri(uri.into()),
            },
            action: self.action,
            generation: self.parts.generation,
            policy: self.parts.rules.hash(),
            rules: policies.into_iter().chain(named).collect(),
        };
        Decision::Allow(Permit { allowed: Arc::new(allowed), valid_until })
    }

    fn deny(&self, refusal: Refusal, visible: impl FnOnce() -> bool) -> Decision {
        let visible = self.action != Action::List && visible();
        let explanation = explain(&refusal, self.server, self.thing, self.action, visible);
        Decision::Deny(Denial {
            action: self.action,
            generation: self.parts.generation,
            policy: self.parts.rules.hash(),
            rules: refusal.into_rules(),
            explanation,
            visible,
        })
    }
}
