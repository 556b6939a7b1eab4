//! By which of the table's indexes a filter is answered.
//!
//! Neither database is left to guess: with all conditions in one statement, a planner may walk ten million rows by
//! time in search of one that a narrower index would have named. So one condition leads, by an index that is also
//! in the order of the answer; the others are looked at row by row, for a bounded number of rows.

use super::dialect::Dialect;
use super::filter::{IndexCursor, IndexFilter, Named};
use super::row::{digits, number};
use super::write::storable;
use crate::sql::{Statement, Value, sql_of};

/// A column that has to have a value.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    column: &'static str,
    value: Value,
    /// Whether there is an index over all rows.
    whole: bool,
    /// Whether there is one over the notable rows.
    notable: bool,
}

/// A filter, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) conditions: Vec<Condition>,
    /// Whether only notable rows can fit.
    notable: bool,
    /// A value that no row can have was asked for.
    pub(super) impossible: bool,
}

impl Plan {
    pub(super) fn of(filter: &IndexFilter) -> Self {
        let mut plan = Self { conditions: Vec::new(), notable: false, impossible: false };
        plan.always("call", filter.call.map(|id| bits(id.to_bits())));
        let trace = filter.trace.as_deref().map(digits);
        plan.impossible = matches!(trace, Some(None));
        plan.always("trace", trace.flatten().map(|bytes| Some(bytes).into()));
        plan.always("session", filter.session.as_deref().map(text));
        match &filter.principal {
            Some(Named::Id(id)) => plan.both("principal", Some(bits(id.to_bits()))),
            Some(Named::Name(name)) => plan.both("subject", Some(text(name))),
            None => {}
        }
        plan.both("definition_key", filter.definition.as_deref().map(text));
        match &filter.server {
            Some(Named::Id(id)) => plan.both("server", Some(bits(id.to_bits()))),
            Some(Named::Name(name)) => plan.both("server_name", Some(text(name))),
            None => {}
        }
        plan.rare("reason", filter.reason.as_deref(), |_| true);
        plan.rare("status", filter.status.as_deref(), |status| status != "ok");
        plan.rare("kind", filter.kind.as_deref(), |kind| !matches!(kind, "intent" | "local"));
        plan.rare("decision", filter.decision.as_deref(), |decision| decision == "deny");
        plan
    }

    fn push(&mut self, column: &'static str, value: Option<Value>, (whole, notable): (bool, bool)) {
        self.conditions.extend(value.map(|value| Condition { column, value, whole, notable }));
    }

    fn always(&mut self, column: &'static str, value: Option<Value>) {
        self.push(column, value, (true, false));
    }

    fn both(&mut self, column: &'static str, value: Option<Value>) {
        self.push(column, value, (true, true));
    }

    /// A column that has an index over the notable rows only. `only` says of which values all rows are notable.
    fn rare(&mut self, column: &'static str, value: Option<&str>, only: impl Fn(&str) -> bool) {
        self.notable |= value.is_some_and(&only);
        self.push(column, value.map(text), (false, value.is_some_and(only)));
    }

    /// The conditions that could lead, by their place.
    pub(super) fn leaders(&self) -> Vec<usize> {
        let can =
            |at: &usize| self.conditions.get(*at).is_some_and(|condition| self.index(condition).is_some());
        (0..self.conditions.len()).filter(can).collect()
    }

    fn index(&self, condition: &Condition) -> Option<String> {
        if self.notable && condition.notable {
            Some(format!("notable_{}", condition.column))
        } else {
            condition.whole.then(|| format!("records_{}", condition.column))
        }
    }

    /// `FROM … WHERE …` of the rows that the leading condition finds; without one, of all rows by time.
    pub(super) fn lead(&self, leader: Option<usize>, dialect: Dialect, query: &mut Query) {
        let condition = leader.and_then(|at| self.conditions.get(at));
        let by_time = if self.notable { "notable_at" } else { "records_at" };
        let index =
            condition.and_then(|condition| self.index(condition)).unwrap_or_else(|| by_time.to_owned());
        query.push(&format!(" FROM {} WHERE TRUE", dialect.records_by(&index)));
        if index.starts_with("notable") {
            query.push(" AND notable = 1");
        }
        if let Some(condition) = condition {
            query.equals(condition.column, condition.value.clone());
        }
    }

    /// The conditions that do not lead, as they are asked of each row.
    pub(super) fn rest(&self, leader: Option<usize>, query: &mut Query) {
        for (at, condition) in self.conditions.iter().enumerate() {
            if Some(at) != leader {
                query.equals(condition.column, condition.value.clone());
            }
        }
    }
}

fn bits(bits: u128) -> Value {
    bits.to_be_bytes().as_slice().into()
}

fn text(text: &str) -> Value {
    storable(text).into()
}

/// A statement that is being put together.
#[derive(Debug, Default)]
pub(super) struct Query {
    text: String,
    values: Vec<Value>,
}

impl Query {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds text, of ours alone.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a value.
    pub(super) fn value(&mut self, value: Value) {
        self.values.push(value);
        self.text.push_str(&format!("${}", self.values.len()));
    }

    fn equals(&mut self, column: &str, value: Value) {
        self.push(&format!(" AND {column} = "));
        self.value(value);
    }

    /// Only texts of the time that is asked for, not before the cursor's.
    pub(super) fn times(&mut self, filter: &IndexFilter, after: Option<IndexCursor>) {
        let bounds = [
            (filter.from, " AND at >= "),
            (filter.to, " AND at < "),
            (after.map(|after| after.at), " AND at <= "),
        ];
        for (moment, comparison) in bounds {
            if let Some(moment) = moment {
                self.push(comparison);
                self.value(moment.into());
            }
        }
    }

    /// Only rows of the time that is asked for, behind the cursor.
    pub(super) fn span(&mut self, filter: &IndexFilter, after: Option<IndexCursor>) {
        self.times(filter, None);
        if let Some(IndexCursor { at, index, node }) = after {
            self.push(" AND (at, idx, node) < (");
            self.value(at.into());
            self.push(", ");
            self.value(number(index));
            self.push(", ");
            self.value(node.into());
            self.push(")");
        }
    }

    pub(super) fn statement(self) -> Statement {
        sql_of(self.text).bind_all(self.values)
    }

    /// The same, told how it would be carried out.
    #[cfg(test)]
    pub(super) fn explained(mut self) -> Statement {
        self.text.insert_str(0, "EXPLAIN QUERY PLAN ");
        self.statement()
    }
}
