//! Which records are wanted.

use std::collections::HashSet;
use std::str::FromStr;

use serde_json::Value;

/// One condition of `--filter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    sort: Sort,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Kind,
    Principal,
    Server,
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sort, value) = text.split_once('=').unwrap_or_default();
        let sort = match sort {
            "kind" => Sort::Kind,
            "principal" => Sort::Principal,
            "server" => Sort::Server,
            _ => return Err("write kind=…, principal=… or server=…".to_owned()),
        };
        Ok(Self { sort, value: value.to_owned() })
    }
}

/// All conditions, and the calls that meet them.
#[derive(Debug)]
pub(super) struct Filter {
    conditions: Vec<Condition>,
    /// Calls under way whose intent is wanted: their outcomes name neither principal nor server.
    calls: HashSet<String>,
}

impl Filter {
    pub(super) fn new(conditions: Vec<Condition>) -> Self {
        Self { conditions, calls: HashSet::new() }
    }

    /// Whether a record is wanted. To be asked for every record in its order.
    pub(super) fn wants(&mut self, record: &Value) -> bool {
        let kind = record["kind"].as_str().unwrap_or_default();
        let call = record["call"].as_str().unwrap_or_default();
        let about = match kind {
            "outcome" => self.calls.remove(call) || !self.has(Sort::Principal) && !self.has(Sort::Server),
            _ => {
                self.meets(Sort::Principal, &[&record["who"]["principal"], &record["who"]["subject"]])
                    && self.meets(Sort::Server, &[&record["subject"]["server"], &record["subject"]["name"]])
            }
        };
        if about && kind == "intent" {
            self.calls.insert(call.to_owned());
        }
        about && self.meets(Sort::Kind, &[&record["kind"]])
    }

    fn has(&self, sort: Sort) -> bool {
        self.conditions.iter().any(|condition| condition.sort == sort)
    }

    fn meets(&self, sort: Sort, values: &[&Value]) -> bool {
        let mut wanted = self.conditions.iter().filter(|condition| condition.sort == sort).peekable();
        wanted.peek().is_none() || wanted.any(|wanted| values.iter().any(|value| *value == &wanted.value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(conditions: &[&str]) -> Vec<usize> {
        let call = |id: &str, who: &str, server: &str| {
            json!({"kind": "intent", "call": id, "who": {"principal": format!("prn_{who}"), "subject": who},
                   "subject": {"server": format!("srv_{server}"), "name": server}})
        };
        let records = [
            json!({"kind": "lifecycle"}),
            call("a", "ada", "files"),
            call("b", "bob", "files"),
            json!({"kind": "outcome", "call": "b"}),
            json!({"kind": "outcome", "call": "a"}),
            json!({"kind": "denied", "call": "c", "who": {"subject": "ada"}}),
        ];
        let conditions = conditions.iter().map(|condition| condition.parse().unwrap()).collect();
        let mut filter = Filter::new(conditions);
        (0..records.len()).filter(|nth| filter.wants(&records[*nth])).collect()
    }

    #[test]
    fn conditions_of_one_sort_are_any_and_of_several_all() {
        assert_eq!(kept(&[]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(kept(&["kind=denied", "kind=lifecycle"]), [0, 5]);
        assert_eq!(kept(&["principal=ada"]), [1, 4, 5]);
        assert_eq!(kept(&["principal=prn_bob"]), [2, 3]);
        assert_eq!(kept(&["server=files"]), [1, 2, 3, 4]);
        assert_eq!(kept(&["principal=ada", "server=srv_files", "kind=outcome"]), [4]);
        assert_eq!(kept(&["principal=eve"]), Vec::<usize>::new());
        assert!("team=x".parse::<Condition>().is_err() && "kind".parse::<Condition>().is_err());
    }
}
