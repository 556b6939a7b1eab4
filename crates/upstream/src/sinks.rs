//! Who reads what comes on a shared link: the requests under way on a child, and the client sessions that listen to a
//! child or to a pooled session.
//!
//! Such messages do not say for whom they are, unless they belong to a request. What it asks goes to the request
//! that came last, what it tells to each client session once. A reader that does not read loses its stream; the link
//! and its other readers never wait for it.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;

use crate::{Event, EventStream, UpstreamError};

/// Messages that may wait for one reader.
pub(crate) const WAITING: usize = 64;

/// What a reader gets.
#[derive(Debug)]
pub(crate) enum Item {
    /// The answer; the last item.
    Final(Bytes),
    /// A message before the answer, or on a listening stream.
    More(Bytes),
    /// No answer will come.
    Failed(UpstreamError),
}

/// The readers of one link.
#[derive(Debug, Default)]
pub(crate) struct Sinks {
    /// By number, so that the last one is the latest.
    requests: BTreeMap<u64, (u128, mpsc::Sender<Item>)>,
    listeners: HashMap<u128, mpsc::Sender<Item>>,
}

impl Sinks {
    pub(crate) fn add(&mut self, number: u64, client: u128) -> mpsc::Receiver<Item> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.requests.insert(number, (client, sender));
        receiver
    }

    /// A client session listens. An older stream of the same session ends: a message goes to one stream only.
    pub(crate) fn listen(&mut self, client: u128) -> mpsc::Receiver<Item> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.listeners.insert(client, sender);
        receiver
    }

    pub(crate) fn remove(&mut self, number: u64) {
        self.requests.remove(&number);
    }

    pub(crate) fn leave(&mut self, client: u128) {
        self.listeners.remove(&client);
    }

    /// Gives an item to a request. False if its reader is gone or does not read.
    pub(crate) fn give(&mut self, number: u64, item: Item) -> bool {
        let last = !matches!(item, Item::More(_));
        let Some((_, sender)) = self.requests.get(&number) else { return false };
        let taken = sender.try_send(item).is_ok();
        if last || !taken {
            // The reader finds the end of its channel where its answer would be.
            self.requests.remove(&number);
        }
        taken
    }

    /// The client session that shall answer what the child asks: the one with the latest request, else one that listens.
    pub(crate) fn asked(&self) -> Option<u128> {
        let latest = self.requests.last_key_value().map(|(_, (client, _))| *client);
        latest.or_else(|| self.listeners.keys().next().copied())
    }

    /// Gives a message to one client session. False if it cannot be reached.
    pub(crate) fn tell(&mut self, client: u128, message: &Bytes) -> bool {
        let request =
            self.requests.iter().rev().find(|(_, (of, _))| *of == client).map(|(number, _)| *number);
        if let Some(number) = request {
            return self.give(number, Item::More(message.clone()));
        }
        let heard = self
            .listeners
            .get(&client)
            .is_some_and(|sender| sender.try_send(Item::More(message.clone())).is_ok());
        if !heard {
            self.listeners.remove(&client);
        }
        heard
    }

    /// Gives a message to every client session once: on its listening stream, or with its latest request. Answers how
    /// many got it.
    pub(crate) fn tell_all(&mut self, message: &Bytes) -> usize {
        let mut clients: Vec<u128> = self.listeners.keys().copied().collect();
        clients.extend(self.requests.values().map(|(client, _)| *client));
        clients.sort_unstable();
        clients.dedup();
        clients
            .into_iter()
            .filter(|client| self.tell_on_listener(*client, message) || self.tell(*client, message))
            .count()
    }

    fn tell_on_listener(&self, client: u128, message: &Bytes) -> bool {
        self.listeners.get(&client).is_some_and(|sender| sender.try_send(Item::More(message.clone())).is_ok())
    }

    /// Ends all, with this reason.
    pub(crate) fn fail(&mut self, why: &UpstreamError) {
        for (_, sender) in std::mem::take(&mut self.requests).into_values() {
            // A reader that does not read finds the end of its channel instead.
            let _unread = sender.try_send(Item::Failed(why.clone()));
        }
        self.listeners.clear();
    }

    pub(crate) fn has_listeners(&self) -> bool {
        !self.listeners.is_empty()
    }
}

/// The stream of a listening session: it ends with its link.
pub(crate) fn listening(receiver: mpsc::Receiver<Item>) -> EventStream {
    EventStream::new(stream::unfold(receiver, |mut receiver| async move {
        match receiver.recv().await? {
            Item::More(message) | Item::Final(message) => Some((Ok(Event::message(message)), receiver)),
            Item::Failed(error) => Some((Err(error), receiver)),
        }
    }))
}
