//! The policies: Cedar text, parsed and validated strictly against the schema before anything is judged by
//! it. Cedar looks at every policy of a set in turn, so there is one set per action with the policies that
//! can matter to it.

use std::collections::HashSet;

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_model::grant::Action;
use bailiwick_model::record::PolicyHash;
use cedar_policy::{
    ActionConstraint, AuthorizationError, Authorizer, Decision as Verdict, Entities, Policy, PolicyId,
    PolicySet, Request, Schema, ValidationMode, Validator,
};

use crate::entities::action_uid;
use crate::explain::RESERVED;

const SCHEMA: &str = include_str!("rules/schema.cedarschema");
const BUILTIN: &str = include_str!("rules/builtin.cedar");

/// A compiled policy set.
pub struct Rules {
    by_action: [PolicySet; Action::ALL.len()],
    authorizer: Authorizer,
    text: Box<str>,
    hash: PolicyHash,
}

/// Policies that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRules {
    /// The text is not Cedar.
    #[error("the policies cannot be read: {0}")]
    Syntax(String),
    /// A policy has no `@id`, an empty one, or that of another policy.
    #[error("{0}")]
    Id(String),
    /// A policy speaks of what the schema does not have, or compares what cannot be equal.
    #[error("the policies do not fit the schema: {0}")]
    Schema(String),
}

/// What the policies say.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// These permit, and none forbids.
    Permitted(Vec<Box<str>>),
    /// These forbid.
    Forbidden(Vec<Box<str>>),
    /// None permits.
    Unmentioned,
    /// These could not be evaluated.
    Failed(Vec<Box<str>>),
}

impl Rules {
    /// The policies that come with the product.
    pub fn builtin() -> Self {
        Self::compile(BUILTIN).expect("the builtin policies are valid: a test compiles them")
    }

    /// The builtin policies and these. Each needs an `@id` of its own, by which decisions name it.
    ///
    /// # Errors
    /// If the text cannot be read, an `@id` is missing or taken, or a policy does not fit the schema.
    pub fn with(text: &str) -> Result<Self, InvalidRules> {
        Self::compile(&format!("{BUILTIN}\n{text}"))
    }

    fn compile(text: &str) -> Result<Self, InvalidRules> {
        let policies = named(text)?;
        let all =
            PolicySet::from_policies(policies.clone()).map_err(|e| InvalidRules::Syntax(e.to_string()))?;
        validate(&all)?;
        let by_action = Action::ALL.map(|action| {
            PolicySet::from_policies(policies.iter().filter(|p| concerns(p, action)).cloned())
                .expect("a part of a set whose ids are unique")
        });
        Ok(Self { by_action, authorizer: Authorizer::new(), text: text.into(), hash: hash(text) })
    }

    /// The text of all policies, the builtin ones first.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The hash of [`Rules::text`], which records name.
    pub fn hash(&self) -> PolicyHash {
        self.hash
    }

    /// Judges a request about this action.
    pub(crate) fn judge(&self, action: Action, request: &Request, entities: &Entities) -> Judgement {
        let response = self.authorizer.is_authorized(request, &self.by_action[action as usize], entities);
        let diagnostics = response.diagnostics();
        // Cedar skips a policy that fails to evaluate, so a forbid could be escaped by making it fail.
        let failed: Vec<_> = diagnostics
            .errors()
            .map(|AuthorizationError::PolicyEvaluationError(error)| written(error.policy_id()))
            .collect();
        if !failed.is_empty() {
            return Judgement::Failed(sorted(failed));
        }
        let reasons = sorted(diagnostics.reason().map(written).collect());
        match response.decision() {
            Verdict::Allow => Judgement::Permitted(reasons),
            Verdict::Deny if reasons.is_empty() => Judgement::Unmentioned,
            Verdict::Deny => Judgement::Forbidden(reasons),
        }
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = |set: &PolicySet| sorted(set.policies().map(|p| written(p.id())).collect());
        f.debug_map().entries(Action::ALL.into_iter().zip(self.by_action.iter().map(ids))).finish()
    }
}

/// The schema that every policy fits.
pub(crate) fn schema() -> Result<Schema, InvalidRules> {
    let (schema, _warnings) =
        Schema::from_cedarschema_str(SCHEMA).map_err(|e| InvalidRules::Schema(e.to_string()))?;
    Ok(schema)
}

/// The policies of a text under the ids that their annotations give them.
fn named(text: &str) -> Result<Vec<Policy>, InvalidRules> {
    let parsed: PolicySet =
        text.parse().map_err(|e: cedar_policy::ParseErrors| InvalidRules::Syntax(e.to_string()))?;
    if let Some(template) = parsed.templates().next() {
        return Err(InvalidRules::Syntax(format!("{} is a template, which is not supported", template.id())));
    }
    let mut taken = HashSet::new();
    parsed
        .policies()
        .map(|policy| match policy.annotation("id").filter(|id| !id.is_empty()) {
            None => Err(InvalidRules::Id(format!("a policy has no @id: {policy}"))),
            Some(id) if RESERVED.contains(&id) => {
                Err(InvalidRules::Id(format!("the @id {id:?} has a meaning of its own")))
            }
            Some(id) if !taken.insert(id.to_owned()) => {
                Err(InvalidRules::Id(format!("two policies have the @id {id:?}")))
            }
            Some(id) => Ok(policy.new_id(PolicyId::new(id))),
        })
        .collect()
}

fn validate(policies: &PolicySet) -> Result<(), InvalidRules> {
    let result = Validator::new(schema()?).validate(policies, ValidationMode::Strict);
    if result.validation_passed() {
        return Ok(());
    }
    let named = |error: &cedar_policy::ValidationError| format!("{}: {error}", error.policy_id());
    let mut errors: Vec<_> = result.validation_errors().map(named).collect();
    errors.sort();
    Err(InvalidRules::Schema(errors.join("; ")))
}

fn concerns(policy: &Policy, action: Action) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(one) => one == *action_uid(action),
        ActionConstraint::In(several) => several.contains(action_uid(action)),
    }
}

fn hash(text: &str) -> PolicyHash {
    let mut bytes = [0; 32];
    for (slot, byte) in bytes.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
        *slot = *byte;
    }
    PolicyHash(bytes)
}

fn written(id: &PolicyId) -> Box<str> {
    AsRef::<str>::as_ref(id).into()
}

fn sorted(mut ids: Vec<Box<str>>) -> Vec<Box<str>> {
    ids.sort_unstable();
    ids
}

#[cfg(test)]
mod tests;
