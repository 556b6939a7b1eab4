//! Toolsets and their selections.

use std::collections::HashMap;

use bailiwick_model::toolset::{Selection, Toolset};
use bailiwick_model::{Name, ToolsetId};

use crate::sql::{Row, Value, sql};
use crate::{Page, StoreError, Tx, Write};

/// Toolsets, within a unit of work.
#[derive(Debug)]
pub struct Toolsets<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Toolsets<'_, M> {
    /// The toolset of this id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, id: ToolsetId) -> Result<Option<Toolset>, StoreError> {
        let row = self.tx.one(sql("SELECT * FROM toolsets WHERE id = $1").bind(Value::written(&id))).await?;
        self.with_selections(row.as_slice()).await.map(|mut toolsets| toolsets.pop())
    }

    /// The toolset of this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn by_name(&mut self, name: &Name) -> Result<Option<Toolset>, StoreError> {
        let row = self.tx.one(sql("SELECT * FROM toolsets WHERE name = $1").bind(name.as_str())).await?;
        self.with_selections(row.as_slice()).await.map(|mut toolsets| toolsets.pop())
    }

    /// A piece of the list, by id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&mut self, page: Page<ToolsetId>) -> Result<Vec<Toolset>, StoreError> {
        let query = sql("SELECT * FROM toolsets WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = self.tx.all(query.bind(page.bound()).bind(page.rows())).await?;
        self.with_selections(&rows).await
    }

    pub(crate) async fn every(&mut self) -> Result<Vec<Toolset>, StoreError> {
        let rows = self.tx.all(sql("SELECT * FROM toolsets ORDER BY id")).await?;
        self.with_selections(&rows).await
    }

    /// The toolsets of these rows, which are in order of id, with their selections, in one query.
    async fn with_selections(&mut self, rows: &[Row]) -> Result<Vec<Toolset>, StoreError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
        let query = sql("SELECT * FROM selections WHERE toolset >= $1 AND toolset <= $2 ORDER BY position")
            .bind(first.text("id")?)
            .bind(last.text("id")?);
        let mut selections: HashMap<ToolsetId, Vec<Selection>> = HashMap::new();
        for row in self.tx.all(query).await? {
            selections.entry(row.parsed("toolset")?).or_default().push(read_selection(&row)?);
        }
        let toolset = |row: &Row| {
            let id = row.parsed("id")?;
            Ok(Toolset {
                id,
                name: row.parsed("name")?,
                team: row.parsed("team")?,
                description: row.text("description")?,
                selections: selections.remove(&id).unwrap_or_default(),
                created_at: row.moment("created_at")?,
            })
        };
        rows.iter().map(toolset).collect()
    }
}

impl Toolsets<'_, Write> {
    /// Adds a toolset with its selections.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for its name, [`StoreError::Dangling`] for its team or a selection's server.
    pub async fn insert(&mut self, toolset: &Toolset) -> Result<(), StoreError> {
        let insert =
            sql("INSERT INTO toolsets (id, name, team, description, created_at) VALUES ($1, $2, $3, $4, $5)")
                .bind(Value::written(&toolset.id))
                .bind(toolset.name.as_str())
                .bind(Value::written(&toolset.team))
                .bind(toolset.description.as_str())
                .bind(toolset.created_at);
        self.tx.change(insert).await?;
        self.insert_selections(toolset).await
    }

    /// Changes everything but id and date. False: there is none of this id.
    ///
    /// # Errors
    /// As [`Toolsets::insert`].
    pub async fn update(&mut self, toolset: &Toolset) -> Result<bool, StoreError> {
        let id = Value::written(&toolset.id);
        let update = sql("UPDATE toolsets SET name = $2, team = $3, description = $4 WHERE id = $1")
            .bind(id.clone())
            .bind(toolset.name.as_str())
            .bind(Value::written(&toolset.team))
            .bind(toolset.description.as_str());
        if self.tx.change(update).await? == 0 {
            return Ok(false);
        }
        self.tx.change(sql("DELETE FROM selections WHERE toolset = $1").bind(id)).await?;
        self.insert_selections(toolset).await?;
        Ok(true)
    }

    /// Removes a toolset with its grants. False: there is none of this id.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn delete(&mut self, id: ToolsetId) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM toolsets WHERE id = $1").bind(Value::written(&id));
        Ok(self.tx.change(delete).await? > 0)
    }

    async fn insert_selections(&mut self, toolset: &Toolset) -> Result<(), StoreError> {
        let numbered: Vec<(i64, &Selection)> = (0..).zip(&toolset.selections).collect();
        for selections in numbered.chunks(super::ROWS_AT_ONCE) {
            let rows = selections.iter().map(|(position, selection)| {
                vec![
                    Value::written(&toolset.id),
                    Value::from(*position),
                    Value::written(&selection.server),
                    Value::Text(selection.kind.map(|kind| kind.as_str().to_owned())),
                    Value::Text(selection.key.clone()),
                ]
            });
            let insert =
                sql("INSERT INTO selections (toolset, position, server, kind, key) VALUES").rows(rows);
            self.tx.change(insert).await?;
        }
        Ok(())
    }
}

fn read_selection(row: &Row) -> Result<Selection, StoreError> {
    Ok(Selection {
        server: row.parsed("server")?,
        kind: row.optional_word("kind")?,
        key: row.optional_text("key")?,
    })
}
