//! A piece of a list, by keyset: pages stay right while rows come and go.

/// Which piece of a list is wanted. Lists are ordered by id, which is the order of making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<I> {
    /// The last id of the piece before; `None` for the first piece.
    pub after: Option<I>,
    /// The most rows.
    pub limit: u16,
}

impl<I> Page<I> {
    /// The first piece.
    pub const fn first(limit: u16) -> Self {
        Self { after: None, limit }
    }

    /// The piece that comes after this id.
    pub const fn after(id: I, limit: u16) -> Self {
        Self { after: Some(id), limit }
    }
}

impl<I: std::fmt::Display> Page<I> {
    /// The bound for `id > $n`: every id is greater than the empty text.
    pub(crate) fn bound(&self) -> String {
        self.after.as_ref().map(I::to_string).unwrap_or_default()
    }

    /// The value for `LIMIT $n`.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(self.limit)
    }
}
