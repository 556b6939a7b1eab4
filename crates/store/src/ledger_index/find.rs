//! Looking records up, newest first, in pieces whose cost is bounded.

use super::LedgerIndex;
use super::dialect::Dialect;
use super::filter::{IndexCursor, IndexFilter};
use super::plan::{Plan, Query};
use super::record::IndexedRecord;
use super::row;
use super::words::search;
use crate::StoreError;
use crate::pools::Connection;
use crate::sql::Row;

/// Rows that are looked at for one piece of an answer.
const SCAN: i64 = 50_000;

/// Rows that are counted to find the narrowest of several conditions.
const PROBE: i64 = 10_000;

/// Newest texts that PostgreSQL looks at one by one before it uses their index, which knows no order.
const NEWEST: i64 = 20_000;

/// No index of a record comes near this.
const BEYOND: i64 = i64::MAX / 4;

/// A piece of an answer. It may be shorter than was asked for, or empty, and still have a next one.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The records, newest first.
    pub records: Vec<IndexedRecord>,
    /// After which place the next piece begins; `None` at the end.
    pub next: Option<IndexCursor>,
}

/// Calls that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thread {
    /// Of one W3C trace, 32 hexadecimal digits.
    Trace(String),
    /// Of one session, by its nonce.
    Session(String),
}

impl LedgerIndex {
    /// A piece of the records that fit, newest first, at most `limit`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn find(
        &self,
        filter: &IndexFilter,
        after: Option<IndexCursor>,
        limit: u16,
    ) -> Result<Found, StoreError> {
        let mut connection = self.read().await?;
        let search = match &filter.text {
            Some(text) => match search(Dialect::of(&connection), text) {
                None => return Ok(Found::default()),
                some => some,
            },
            None => None,
        };
        let plan = Plan::of(filter);
        if plan.impossible {
            return Ok(Found::default());
        }
        let mut finder = Finder { on: &mut connection, plan, filter, search, after, limit };
        self.checked(finder.find().await)
    }

    /// The records of a thread, oldest first, at most `limit`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn thread(&self, thread: &Thread, limit: u16) -> Result<Vec<IndexedRecord>, StoreError> {
        let filter = match thread {
            Thread::Trace(trace) => IndexFilter { trace: Some(trace.clone()), ..IndexFilter::default() },
            Thread::Session(session) => {
                IndexFilter { session: Some(session.clone()), ..IndexFilter::default() }
            }
        };
        let plan = Plan::of(&filter);
        if plan.impossible {
            return Ok(Vec::new());
        }
        let mut connection = self.read().await?;
        let mut query = Query::new(RECORDS);
        query.push("(SELECT *");
        plan.lead(Some(0), Dialect::of(&connection), &mut query);
        query.push(&format!(" ORDER BY at, idx, node LIMIT {limit}) AS r"));
        let rows = self.checked(query.statement().all(&mut connection).await)?;
        let mut records: Vec<_> = rows.iter().map(row::record).collect::<Result<_, _>>()?;
        records.sort_by_key(|record| (record.at, record.index));
        Ok(records)
    }
}

const RECORDS: &str =
    "SELECT r.*, (SELECT l.name FROM indexed_ledgers l WHERE l.node = r.node) AS ledger FROM ";

struct Finder<'a> {
    on: &'a mut Connection,
    plan: Plan,
    filter: &'a IndexFilter,
    /// The words, as the database searches for them.
    search: Option<String>,
    after: Option<IndexCursor>,
    limit: u16,
}

impl Finder<'_> {
    async fn find(&mut self) -> Result<Found, StoreError> {
        let dialect = Dialect::of(self.on);
        let (leader, narrow) = self.narrowest().await?;
        let Some(search) = self.search.clone().filter(|_| !narrow) else {
            return self.by_scan(leader, SCAN).await;
        };
        match dialect {
            Dialect::Sqlite => {
                let rows = self.by_words_in_order(&search).statement().all(self.on).await?;
                let end = self.end_of_words(&search).await?;
                self.found(&rows, end)
            }
            Dialect::Postgres => {
                let rows = self.by_newest_words(&search).statement().all(self.on).await?;
                if rows.len() >= usize::from(self.limit) {
                    return self.found(&rows, None);
                }
                let rows = self.by_words(&search).statement().all(self.on).await?;
                self.found(&rows, None)
            }
        }
    }

    /// The condition that the fewest rows fulfil, and whether these are few.
    async fn narrowest(&mut self) -> Result<(Option<usize>, bool), StoreError> {
        let leaders = self.plan.leaders();
        // Nothing to choose from, so nothing to count.
        if leaders.len() < 2 && (leaders.is_empty() || self.search.is_none()) {
            return Ok((leaders.first().copied(), false));
        }
        let mut best = (None, PROBE);
        for leader in leaders {
            let mut query = Query::new("SELECT COUNT(*) AS count FROM (SELECT 1 AS one");
            self.plan.lead(Some(leader), Dialect::of(self.on), &mut query);
            query.span(self.filter, self.after);
            query.push(&format!(" LIMIT {PROBE}) AS few"));
            let rows = query.statement().all(self.on).await?;
            let count = rows.first().map_or(Ok(PROBE), |row| row.integer("count"))?;
            if best.0.is_none() || count < best.1 {
                best = (Some(leader), count);
            }
        }
        Ok((best.0, best.1 < PROBE))
    }

    /// Rows that one condition finds, and of these the ones that fulfil the rest.
    async fn by_scan(&mut self, leader: Option<usize>, scan: i64) -> Result<Found, StoreError> {
        let rows = self.scan(leader, scan).statement().all(self.on).await?;
        let end = if rows.len() < usize::from(self.limit) {
            let mut query = Query::new("SELECT at, idx, node");
            self.plan.lead(leader, Dialect::of(self.on), &mut query);
            query.span(self.filter, self.after);
            query.push(&format!("{NEWEST_FIRST} LIMIT 1 OFFSET {}", scan - 1));
            query.statement().all(self.on).await?.first().map(place).transpose()?
        } else {
            None
        };
        self.found(&rows, end)
    }

    /// The subquery's order is the answer's: what is not sorted again ends as soon as enough is found.
    fn scan(&self, leader: Option<usize>, scan: i64) -> Query {
        let mut query = Query::new(RECORDS);
        query.push("(SELECT *");
        self.plan.lead(leader, Dialect::of(self.on), &mut query);
        query.span(self.filter, self.after);
        query.push(&format!("{NEWEST_FIRST} LIMIT {scan}) AS r WHERE TRUE"));
        self.plan.rest(leader, &mut query);
        if let Some(search) = &self.search {
            self.has_words(search, &mut query);
        }
        query.push(&format!(" LIMIT {}", self.limit));
        query
    }

    fn has_words(&self, search: &str, query: &mut Query) {
        match Dialect::of(self.on) {
            Dialect::Sqlite => {
                query.push(" AND EXISTS (SELECT 1 FROM indexed_words WHERE indexed_words MATCH ");
                query.value(search.into());
                query.push(" AND rowid >= 2 * r.idx AND rowid <= 2 * r.idx + 1)");
            }
            Dialect::Postgres => {
                query.push(
                    " AND EXISTS (SELECT 1 FROM indexed_words w WHERE w.node = r.node AND w.idx = r.idx \
                     AND w.words @@ ",
                );
                query.value(search.into());
                query.push("::tsquery)");
            }
        }
    }

    /// SQLite's index of words gives rows in the order of the answer. A record may come twice: by its own words and by
    /// those of its outcome.
    fn by_words_in_order(&self, search: &str) -> Query {
        let mut query = Query::new(RECORDS);
        query.push("(SELECT rowid / 2 AS found");
        self.words_in_order(search, &mut query);
        query.push(&format!(" LIMIT {SCAN}) AS w CROSS JOIN indexed_records AS r WHERE r.idx = w.found"));
        query.span(self.filter, self.after);
        self.plan.rest(None, &mut query);
        query.push(&format!(" LIMIT {}", 2 * u32::from(self.limit)));
        query
    }

    fn words_in_order(&self, search: &str, query: &mut Query) {
        query.push(" FROM indexed_words WHERE indexed_words MATCH ");
        query.value(search.into());
        if let Some(after) = self.after {
            query.push(" AND rowid < 2 * ");
            query.value(row::number(after.index));
        }
        // In the index of one ledger the order of time is that of the records, so a moment is a place in it.
        for (moment, comparison) in [(self.filter.from, ">="), (self.filter.to, "<")] {
            if let Some(moment) = moment {
                query.push(&format!(
                    " AND rowid {comparison} 2 * COALESCE((SELECT idx FROM indexed_records WHERE at >= "
                ));
                query.value(moment.into());
                query.push(&format!(" ORDER BY at, idx LIMIT 1), {BEYOND})"));
            }
        }
        query.push(" ORDER BY rowid DESC");
    }

    /// Where the scan of words ended, if it did not reach the last.
    async fn end_of_words(&mut self, search: &str) -> Result<Option<IndexCursor>, StoreError> {
        let mut query = Query::new("SELECT at, idx, node FROM indexed_records WHERE idx = (SELECT rowid / 2");
        self.words_in_order(search, &mut query);
        query.push(&format!(" LIMIT 1 OFFSET {})", SCAN - 1));
        query.statement().all(self.on).await?.first().map(place).transpose()
    }

    /// The newest texts, looked at one by one: enough for a word that is common.
    fn by_newest_words(&self, search: &str) -> Query {
        let mut query = Query::new(RECORDS);
        query.push("(SELECT node, idx FROM (SELECT node, idx, words FROM indexed_words WHERE TRUE");
        query.times(self.filter, self.after);
        query.push(&format!("{NEWEST_FIRST} LIMIT {NEWEST}) AS newest WHERE words @@ "));
        query.value(search.into());
        query.push(
            "::tsquery GROUP BY node, idx) AS w JOIN indexed_records AS r USING (node, idx) WHERE TRUE",
        );
        query.span(self.filter, self.after);
        self.plan.rest(None, &mut query);
        query.push(&format!("{NEWEST_FIRST} LIMIT {}", self.limit));
        query
    }

    /// PostgreSQL's index of words knows no order: all rows that have the words, sorted.
    fn by_words(&self, search: &str) -> Query {
        let mut query = Query::new(RECORDS);
        query.push(
            "(SELECT * FROM indexed_records WHERE (node, idx) IN \
             (SELECT node, idx FROM indexed_words WHERE words @@ ",
        );
        query.value(search.into());
        query.push("::tsquery)");
        query.span(self.filter, self.after);
        self.plan.rest(None, &mut query);
        query.push(&format!("{NEWEST_FIRST} LIMIT {}) AS r", self.limit));
        query
    }

    fn found(&self, rows: &[Row], end: Option<IndexCursor>) -> Result<Found, StoreError> {
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push((place(row)?, row::record(row)?));
        }
        found.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        found.dedup_by(|one, other| one.0 == other.0);
        let limit = usize::from(self.limit);
        let full = found.len() >= limit;
        found.truncate(limit);
        let next = if full { found.last().map(|(place, _)| *place) } else { end };
        Ok(Found { records: found.into_iter().map(|(_, record)| record).collect(), next })
    }
}

const NEWEST_FIRST: &str = " ORDER BY at DESC, idx DESC, node DESC";

fn place(row: &Row) -> Result<IndexCursor, StoreError> {
    Ok(IndexCursor {
        at: row.moment("at")?,
        index: u64::try_from(row.integer("idx")?).unwrap_or_default(),
        node: row.integer("node")?,
    })
}

#[cfg(test)]
mod tests;
