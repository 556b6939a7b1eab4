//! Reading requests: bodies, queries and the texts in them, with problems that say which member is wrong.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use bailiwick_control::{Listed, Page};
use bailiwick_model::Name;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::wire::{List, Paging};

/// Most things in a piece of a list.
const MAX_LIMIT: u16 = 500;
/// The longest that a key or grant may live, if it is to end at all.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::JsonDataError(error)) => Err(Problem::invalid("body", error.body_text())),
            Err(other) => Err(Problem::unreadable(other.status(), other.body_text())),
        }
    }
}

/// A query.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|error| Problem::invalid("query", error.body_text()))
    }
}

/// The page that is asked for.
pub(crate) fn page<I: FromStr>(paging: &Paging) -> Result<Page<I>, Problem>
where
    I::Err: Display,
{
    let limit = limit(paging.limit)?;
    let after = paging.after.as_deref().map(|after| parse("after", after)).transpose()?;
    Ok(Page { after, limit })
}

/// How many things a piece of a list shall have at most.
pub(crate) fn limit(asked: Option<u16>) -> Result<u16, Problem> {
    let limit = asked.unwrap_or(100);
    if (1..=MAX_LIMIT).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::invalid("limit", format!("1 to {MAX_LIMIT}")))
    }
}

/// The piece of a list as it is answered.
pub(crate) fn list<T, V: From<T>, I: Display>(listed: Listed<T, I>) -> Json<List<V>> {
    Json(List {
        items: listed.items.into_iter().map(V::from).collect(),
        next: listed.next.map(|id| id.to_string()),
    })
}

/// A text of the request as what it should be.
pub(crate) fn parse<T: FromStr>(field: &str, text: &str) -> Result<T, Problem>
where
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| Problem::invalid(field, error.to_string()))
}

/// A name, if one is given.
pub(crate) fn name(text: Option<&str>) -> Result<Option<Name>, Problem> {
    text.map(|text| parse("name", text)).transpose()
}

/// For how long something shall live.
pub(crate) fn lifetime(seconds: Option<u64>) -> Result<Option<Duration>, Problem> {
    let lifetime = seconds.map(Duration::from_secs);
    if lifetime.is_some_and(|lifetime| lifetime.is_zero() || lifetime > MAX_LIFETIME) {
        return Err(Problem::invalid("expires_in_seconds", "more than 0, and less than ten years"));
    }
    Ok(lifetime)
}
