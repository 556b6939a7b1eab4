//! What each caller sees of each endpoint, decided and serialised once per generation.

use std::sync::Arc;

use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::Action;
use bailiwick_model::{Generation, PrincipalId, Timestamp};
use bailiwick_policy::{Decision, Target};
use bytes::Bytes;
use quick_cache::sync::Cache;

use crate::exposure::View;
use crate::place::PlaceKey;
use crate::visit::Visit;

/// Listings that are kept.
const CACHED: usize = 4_096;
/// Most definitions and bytes on one page.
const PAGE_ITEMS: usize = 1_000;
const PAGE_BYTES: usize = 1 << 20;

/// What one caller sees of one kind at one endpoint.
#[derive(Debug)]
pub(crate) struct Listing {
    generation: Generation,
    view: Arc<View>,
    /// Until a grant ends by itself.
    until: Option<Timestamp>,
    pub(crate) pages: Vec<Page>,
}

/// One page of a listing.
#[derive(Debug)]
pub(crate) struct Page {
    /// The name of the first definition on it; cursors name it.
    pub(crate) first: Box<str>,
    /// The definitions, separated by commas.
    pub(crate) json: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key(PrincipalId, PlaceKey, DefinitionKind);

/// Listings by caller, endpoint and kind.
#[derive(Debug)]
pub(crate) struct Lists(Cache<Key, Arc<Listing>>);

impl Lists {
    pub(crate) fn new() -> Self {
        Self(Cache::new(CACHED))
    }

    /// What the visit's caller sees at the visit's endpoint, under the visit's snapshot.
    pub(crate) fn get(&self, visit: &Visit, kind: DefinitionKind) -> Arc<Listing> {
        let key = Key(visit.caller.principal.id, visit.place.key, kind);
        if let Some(listing) = self.0.get(&key)
            && listing.holds(visit)
        {
            return listing;
        }
        let listing = Arc::new(Listing::build(visit, kind));
        self.0.insert(key, Arc::clone(&listing));
        listing
    }
}

impl Listing {
    fn holds(&self, visit: &Visit) -> bool {
        self.generation == visit.snapshot.generation
            && Arc::ptr_eq(&self.view, &visit.place.view)
            && self.until.is_none_or(|end| visit.now < end)
    }

    fn build(visit: &Visit, kind: DefinitionKind) -> Self {
        let mut until: Option<Timestamp> = None;
        let mut pages: Vec<(Box<str>, usize, Vec<u8>)> = Vec::new();
        for exposed in visit.place.view.items.iter().filter(|e| e.definition.kind == kind) {
            let target = Target::Definition(&exposed.server, &exposed.definition);
            let Decision::Allow(permit) =
                visit.snapshot.decide(&visit.caller, Action::List, target, visit.now)
            else {
                continue;
            };
            if let Some(end) = permit.valid_until() {
                until = Some(until.map_or(end, |known| known.min(end)));
            }
            let json = exposed.json();
            match pages.last_mut() {
                Some((_, count, page)) if *count < PAGE_ITEMS && page.len() + json.len() < PAGE_BYTES => {
                    *count += 1;
                    page.push(b',');
                    page.extend_from_slice(json.as_bytes());
                }
                _ => pages.push((exposed.name.clone(), 1, json.as_bytes().to_vec())),
            }
        }
        Self {
            generation: visit.snapshot.generation,
            view: Arc::clone(&visit.place.view),
            until,
            pages: pages.into_iter().map(|(first, _, json)| Page { first, json: json.into() }).collect(),
        }
    }

    /// Whether the caller sees anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Whether a caller who had this listing would see a difference.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        self.pages.len() == other.pages.len()
            && self.pages.iter().zip(&other.pages).all(|(a, b)| a.json == b.json)
    }
}
