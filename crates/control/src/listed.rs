//! A piece of a list: what of it the actor may see, and where the next piece begins.

use bailiwick_store::Page;

/// A piece of a list. It may be shorter than was asked for, or empty, and still have a next one: what the
/// actor may not see is left out.
#[derive(Debug, Clone)]
pub struct Listed<T, I> {
    /// What the actor may see.
    pub items: Vec<T>,
    /// After which id the next piece begins; `None` at the end.
    pub next: Option<I>,
}

impl<T, I> Listed<T, I> {
    /// An empty piece that continues where this many rows of a page left off.
    pub(crate) fn after<R>(rows: &[R], page: &Page<I>, id: impl Fn(&R) -> I) -> Self {
        let full = rows.len() >= usize::from(page.limit);
        Self { items: Vec::with_capacity(rows.len()), next: rows.last().filter(|_| full).map(id) }
    }
}

/// All rows of a table's list, page by page: `every!(tx.keys(), key => key.id)`. A macro, since the table
/// borrows the unit of work anew for each page.
macro_rules! every {
    ($table:expr, $row:ident => $id:expr) => {
        async {
            const ROWS: u16 = 1000;
            let mut all = Vec::new();
            let mut after = None;
            loop {
                let rows = $table.list(bailiwick_store::Page { after, limit: ROWS }).await?;
                let full = rows.len() >= usize::from(ROWS);
                after = rows.last().map(|$row| $id);
                all.extend(rows);
                if !full {
                    return Ok::<_, crate::ControlError>(all);
                }
            }
        }
        .await
    };
}

pub(crate) use every;
