//! The shapes that a parsed client message can have.

use std::borrow::Cow;

use super::RawId;
use crate::frame::Outcome;
use crate::json::{Member, Object, Raw};

/// A parsed body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Asks for an answer.
    Request(Request<'a>),
    /// Asks for none.
    Notification(Notification<'a>),
    /// Answers a request of the server (legacy eras).
    Response(Response<'a>),
    /// Several of the above, never nested and never empty (2025-03-26 only, if the limits allow it).
    Batch(Vec<Message<'a>>),
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The id, to be echoed exactly.
    pub id: RawId<'a>,
    /// The decoded method.
    pub method: Cow<'a, str>,
    /// The params, if present.
    pub params: Option<Params<'a>>,
    pub(crate) raw: &'a str,
    pub(crate) id_start: usize,
}

impl<'a> Request<'a> {
    /// The message as it stands.
    pub fn raw(&self) -> &'a [u8] {
        self.raw.as_bytes()
    }

    /// A member of the params, by its decoded name.
    pub fn param(&self, name: &str) -> Option<Raw<'a>> {
        self.params.as_ref()?.get(name)
    }

    /// A member of `params._meta`, by its decoded name.
    pub fn meta(&self, name: &str) -> Option<Raw<'a>> {
        self.params.as_ref()?.meta_get(name)
    }
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification<'a> {
    /// The decoded method.
    pub method: Cow<'a, str>,
    /// The params, if present.
    pub params: Option<Params<'a>>,
    pub(crate) raw: &'a str,
}

impl<'a> Notification<'a> {
    /// The message as it stands.
    pub fn raw(&self) -> &'a [u8] {
        self.raw.as_bytes()
    }

    /// A member of the params, by its decoded name.
    pub fn param(&self, name: &str) -> Option<Raw<'a>> {
        self.params.as_ref()?.get(name)
    }
}

/// A client's answer to a request of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<'a> {
    /// The id; absent or null only in errors.
    pub id: Option<RawId<'a>>,
    /// The result or the error.
    pub outcome: Outcome<'a>,
    pub(crate) raw: &'a str,
    pub(crate) id_start: usize,
}

impl<'a> Response<'a> {
    /// The message as it stands.
    pub fn raw(&self) -> &'a [u8] {
        self.raw.as_bytes()
    }
}

/// The params object of a request or notification, with its members and those of `_meta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params<'a> {
    pub(crate) raw: Raw<'a>,
    pub(crate) members: Vec<Member<'a>>,
    pub(crate) meta: Option<Raw<'a>>,
    pub(crate) meta_members: Vec<Member<'a>>,
}

impl<'a> Params<'a> {
    /// The whole object as it stands.
    pub fn raw(&self) -> Raw<'a> {
        self.raw
    }

    /// The members in their order.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The object with its members, for patches.
    pub fn object(&self) -> Object<'_> {
        Object::found(self.raw, &self.members)
    }

    /// Any member, by its decoded name.
    pub fn get(&self, name: &str) -> Option<Raw<'a>> {
        self.members.iter().find(|m| m.key == name).map(|m| m.value)
    }

    /// `name`, decoded; `None` if it is absent or no string.
    pub fn name(&self) -> Option<Cow<'a, str>> {
        self.get("name")?.string()
    }

    /// `uri`, decoded; `None` if it is absent or no string.
    pub fn uri(&self) -> Option<Cow<'a, str>> {
        self.get("uri")?.string()
    }

    /// `cursor`, decoded; `None` if it is absent or no string.
    pub fn cursor(&self) -> Option<Cow<'a, str>> {
        self.get("cursor")?.string()
    }

    /// `arguments` as it stands.
    pub fn arguments(&self) -> Option<Raw<'a>> {
        self.get("arguments")
    }

    /// `_meta` as it stands; always an object.
    pub fn meta(&self) -> Option<Raw<'a>> {
        self.meta
    }

    /// The members of `_meta` in their order.
    pub fn meta_members(&self) -> &[Member<'a>] {
        &self.meta_members
    }

    /// `_meta` with its members, for patches.
    pub fn meta_object(&self) -> Option<Object<'_>> {
        self.meta.map(|raw| Object::found(raw, &self.meta_members))
    }

    /// Any member of `_meta`, by its decoded name.
    pub fn meta_get(&self, name: &str) -> Option<Raw<'a>> {
        self.meta_members.iter().find(|m| m.key == name).map(|m| m.value)
    }
}
