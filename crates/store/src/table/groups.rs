//! Groups and who is in them.

use std::collections::HashMap;

use bailiwick_model::principal::Group;
use bailiwick_model::{GroupId, Name, PrincipalId};

use crate::sql::{Row, Value, sql};
use crate::{Page, StoreError, Tx, Write};

/// Groups, within a unit of work.
#[derive(Debug)]
pub struct Groups<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Groups<'_, M> {
    /// The group of this id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, id: GroupId) -> Result<Option<Group>, StoreError> {
        let row = self.tx.one(sql("SELECT * FROM groups WHERE id = $1").bind(Value::written(&id))).await?;
        self.with_members(row.as_slice()).await.map(|mut groups| groups.pop())
    }

    /// The group of this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn by_name(&mut self, name: &Name) -> Result<Option<Group>, StoreError> {
        let row = self.tx.one(sql("SELECT * FROM groups WHERE name = $1").bind(name.as_str())).await?;
        self.with_members(row.as_slice()).await.map(|mut groups| groups.pop())
    }

    /// A piece of the list, by id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&mut self, page: Page<GroupId>) -> Result<Vec<Group>, StoreError> {
        let query = sql("SELECT * FROM groups WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = self.tx.all(query.bind(page.bound()).bind(page.rows())).await?;
        self.with_members(&rows).await
    }

    pub(crate) async fn every(&mut self) -> Result<Vec<Group>, StoreError> {
        let rows = self.tx.all(sql("SELECT * FROM groups ORDER BY id")).await?;
        self.with_members(&rows).await
    }

    /// The groups of these rows, which are in order of id, with their members, in one query.
    async fn with_members(&mut self, rows: &[Row]) -> Result<Vec<Group>, StoreError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
        let query = sql("SELECT group_id, principal FROM group_members \
             WHERE group_id >= $1 AND group_id <= $2 ORDER BY principal")
        .bind(first.text("id")?)
        .bind(last.text("id")?);
        let mut members: HashMap<GroupId, Vec<PrincipalId>> = HashMap::new();
        for row in self.tx.all(query).await? {
            members.entry(row.parsed("group_id")?).or_default().push(row.parsed("principal")?);
        }
        let group = |row: &Row| {
            let id = row.parsed("id")?;
            Ok(Group {
                id,
                name: row.parsed("name")?,
                members: members.remove(&id).unwrap_or_default(),
                created_at: row.moment("created_at")?,
            })
        };
        rows.iter().map(group).collect()
    }
}

impl Groups<'_, Write> {
    /// Adds a group with its members.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for its name or for a member named twice, [`StoreError::Dangling`] for a member
    /// that does not exist.
    pub async fn insert(&mut self, group: &Group) -> Result<(), StoreError> {
        let insert = sql("INSERT INTO groups (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(Value::written(&group.id))
            .bind(group.name.as_str())
            .bind(group.created_at);
        self.tx.change(insert).await?;
        self.insert_members(group).await
    }

    /// Changes name and members. False: there is none of this id.
    ///
    /// # Errors
    /// As [`Groups::insert`].
    pub async fn update(&mut self, group: &Group) -> Result<bool, StoreError> {
        let id = Value::written(&group.id);
        let update =
            sql("UPDATE groups SET name = $2 WHERE id = $1").bind(id.clone()).bind(group.name.as_str());
        if self.tx.change(update).await? == 0 {
            return Ok(false);
        }
        self.tx.change(sql("DELETE FROM group_members WHERE group_id = $1").bind(id)).await?;
        self.insert_members(group).await?;
        Ok(true)
    }

    /// Puts a principal into a group; true if it was not in it.
    ///
    /// # Errors
    /// [`StoreError::Dangling`] if one of the two does not exist.
    pub async fn add_member(&mut self, group: GroupId, member: PrincipalId) -> Result<bool, StoreError> {
        let insert =
            sql("INSERT INTO group_members (group_id, principal) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(Value::written(&group))
                .bind(Value::written(&member));
        Ok(self.tx.change(insert).await? > 0)
    }

    /// Takes a principal out of a group; true if it was in it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn remove_member(&mut self, group: GroupId, member: PrincipalId) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM group_members WHERE group_id = $1 AND principal = $2")
            .bind(Value::written(&group))
            .bind(Value::written(&member));
        Ok(self.tx.change(delete).await? > 0)
    }

    /// Removes a group with its grants. False: there is none of this id.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn delete(&mut self, id: GroupId) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM groups WHERE id = $1").bind(Value::written(&id));
        Ok(self.tx.change(delete).await? > 0)
    }

    async fn insert_members(&mut self, group: &Group) -> Result<(), StoreError> {
        for members in group.members.chunks(super::ROWS_AT_ONCE) {
            let rows = members.iter().map(|member| vec![Value::written(&group.id), Value::written(member)]);
            self.tx.change(sql("INSERT INTO group_members (group_id, principal) VALUES").rows(rows)).await?;
        }
        Ok(())
    }
}
