//! Changes to the members of one object.

use std::borrow::Cow;

use super::Edits;
use crate::json::{Object, quote, write_string};

/// A member's name with its new value; `None` removes it.
type Change<'p> = (Cow<'p, str>, Option<Cow<'p, [u8]>>);

/// Members to set and to remove. The last word about a name counts.
#[derive(Debug, Clone, Default)]
pub struct ObjectPatch<'p> {
    changes: Vec<Change<'p>>,
}

impl<'p> ObjectPatch<'p> {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Sets a member to `json`, which must be one JSON value. A present member keeps its place, a new one comes last.
    pub fn set(&mut self, name: impl Into<Cow<'p, str>>, json: impl Into<Cow<'p, [u8]>>) -> &mut Self {
        self.change(name.into(), Some(json.into()))
    }

    /// Sets a member to a string.
    pub fn set_string(&mut self, name: impl Into<Cow<'p, str>>, text: &str) -> &mut Self {
        self.change(name.into(), Some(Cow::Owned(quote(text))))
    }

    /// Removes a member if it is present.
    pub fn remove(&mut self, name: impl Into<Cow<'p, str>>) -> &mut Self {
        self.change(name.into(), None)
    }

    fn change(&mut self, name: Cow<'p, str>, value: Option<Cow<'p, [u8]>>) -> &mut Self {
        self.changes.retain(|(known, _)| *known != name);
        self.changes.push((name, value));
        self
    }

    /// Whether at least one member is set.
    fn sets(&self) -> bool {
        self.changes.iter().any(|(_, value)| value.is_some())
    }

    fn find(&self, name: &str) -> Option<&Option<Cow<'p, [u8]>>> {
        self.changes.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Adds the edits that these changes mean for `object`.
    pub fn edit<'e>(&self, object: &Object<'_>, edits: &mut Edits<'e>) {
        if self.is_empty() {
            return;
        }
        let members = object.members();
        let mut kept_end = None;
        for (i, member) in members.iter().enumerate() {
            let end = member.value.range().end;
            match self.find(&member.key) {
                None => kept_end = Some(end),
                Some(Some(json)) => {
                    edits.replace(member.value.range(), json.to_vec());
                    kept_end = Some(end);
                }
                // With a member kept before it, the comma before goes too; else the one after.
                Some(None) if kept_end.is_some() => edits.remove(members[i - 1].value.range().end..end),
                Some(None) => {
                    let next = members.get(i + 1).map_or(end, |next| next.key_start);
                    edits.remove(member.key_start..next);
                }
            }
        }
        let added = self.write_members(kept_end.is_some(), |name| object.get(name).is_none());
        if !added.is_empty() {
            let open = object.raw().range().start + 1;
            edits.insert(members.last().map_or(open, |last| last.value.range().end), added);
        }
    }

    /// The members that are set and pass `wanted`, with commas.
    fn write_members(&self, mut comma: bool, wanted: impl Fn(&str) -> bool) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.changes {
            let Some(json) = value else { continue };
            if !wanted(name) {
                continue;
            }
            if comma {
                out.push(b',');
            }
            comma = true;
            write_string(&mut out, name);
            out.push(b':');
            out.extend_from_slice(json);
        }
        out
    }

    /// A new object of the members that are set; `None` if there are none.
    pub fn build(&self) -> Option<Vec<u8>> {
        self.sets().then(|| [b"{".to_vec(), self.write_members(false, |_| true), b"}".to_vec()].concat())
    }
}
