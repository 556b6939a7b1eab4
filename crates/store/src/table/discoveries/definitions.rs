//! The definitions of a discovery: raw JSON byte for byte, in the server's order.

use std::collections::HashMap;

use bailiwick_model::ServerId;
use bailiwick_model::definition::{Definition, DefinitionHash};

use crate::sql::{Row, Value, sql};
use crate::{StoreError, Tx, Write};

pub(super) async fn of<M>(tx: &mut Tx<M>, server: ServerId) -> Result<Vec<Definition>, StoreError> {
    let query = sql("SELECT * FROM definitions WHERE server = $1 ORDER BY position");
    tx.all(query.bind(Value::written(&server))).await?.iter().map(read).collect()
}

pub(super) async fn everyones<M>(tx: &mut Tx<M>) -> Result<HashMap<ServerId, Vec<Definition>>, StoreError> {
    let mut definitions: HashMap<ServerId, Vec<Definition>> = HashMap::new();
    for row in tx.all(sql("SELECT * FROM definitions ORDER BY server, position")).await? {
        definitions.entry(row.parsed("server")?).or_default().push(read(&row)?);
    }
    Ok(definitions)
}

pub(super) async fn replace(
    tx: &mut Tx<Write>,
    server: ServerId,
    definitions: &[Definition],
) -> Result<(), StoreError> {
    tx.change(sql("DELETE FROM definitions WHERE server = $1").bind(Value::written(&server))).await?;
    let numbered: Vec<(i64, &Definition)> = (0..).zip(definitions).collect();
    for piece in numbered.chunks(crate::table::ROWS_AT_ONCE) {
        let rows: Result<Vec<_>, _> =
            piece.iter().map(|(at, definition)| values(server, *at, definition)).collect();
        let insert =
            sql("INSERT INTO definitions (server, position, kind, key, raw, hash, annotations) VALUES");
        tx.change(insert.rows(rows?)).await?;
    }
    Ok(())
}

fn values(server: ServerId, position: i64, definition: &Definition) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        Value::written(&server),
        Value::from(position),
        Value::from(definition.kind.as_str()),
        Value::from(definition.key.as_str()),
        Value::from(definition.raw.get()),
        Value::from(definition.hash.0.as_slice()),
        Value::json(&definition.annotations)?,
    ])
}

fn read(row: &Row) -> Result<Definition, StoreError> {
    Ok(Definition {
        kind: row.word("kind")?,
        key: row.text("key")?,
        raw: row.json("raw")?,
        hash: DefinitionHash(row.hash("hash")?),
        annotations: row.json("annotations")?,
    })
}
