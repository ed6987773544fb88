//! Customers of the project.

use crate::{counters, search, db::{Conn, Counter, List, Result, Tx, Value, rows, run, statements}};
use domain::{Timestamp, ids::{CustomerId, ProjectId}};

rows! {
    #[derive(Debug, Clone)]
    pub struct CustomerRow {
        pub id: CustomerId,
        pub name: String,
        /// The project's own key for it, unique in the project.
        pub external_customer_id: Option<String>,
        /// A JSON object.
        pub metadata: String,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

/// Filters of a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Substring, in any case.
    pub name: Option<String>,
    pub external_customer_id: Option<String>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
}

statements! {
    INSERT = ["INSERT INTO customers (project_id, id, name, name_search, external_customer_id, metadata, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"];
    FIND = ["SELECT ", CustomerRow, " FROM customers WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE customers SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING ", CustomerRow];
    EXTERNAL = ["SELECT ", CustomerRow, " FROM customers \
                 WHERE project_id = $1 AND external_customer_id = $2"];
    UPDATE = ["UPDATE customers SET name = $3, name_search = $4, external_customer_id = $5, metadata = $6, updated_at = $7 \
               WHERE project_id = $1 AND id = $2"];
    DELETE = ["DELETE FROM customers WHERE project_id = $1 AND id = $2"];
}

pub(crate) const LIST: List<1, 4> = List {
    columns: CustomerRow::COLUMNS,
    from: "customers WHERE project_id = $1",
    filters: ["name_search LIKE ? ESCAPE '\\'", "external_customer_id = ?", "created_at >= ?", "created_at <= ?"],
    order: "created_at DESC, id DESC",
};

/// [`crate::Error::Conflict`] if the external id is taken.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &CustomerRow) -> Result<()> {
    run!(tx, INSERT, [project, c.id, c.name, &search::folded(&c.name), c.external_customer_id, c.metadata, c.created_at,
        c.updated_at], execute)?;
    counters::add(tx, project, Counter::Customers, c.id.uuid(), 1);
    Ok(())
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: CustomerId) -> Result<Option<CustomerRow>> {
    run!(conn, FIND, [project, id], fetch_optional as CustomerRow)
}

/// Reads and locks a customer until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: CustomerId) -> Result<Option<CustomerRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as CustomerRow)
}

pub async fn with_external_id(conn: &mut Conn<'_>, project: ProjectId, external: &str) -> Result<Option<CustomerRow>> {
    run!(conn, EXTERNAL, [project, external], fetch_optional as CustomerRow)
}

/// Writes name, external id and metadata. The row must have been locked in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, c: &CustomerRow) -> Result<()> {
    run!(tx, UPDATE, [project, c.id, c.name, &search::folded(&c.name), c.external_customer_id, c.metadata, c.updated_at], execute).map(drop)
}

/// Nothing may refer to the customer any more.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: CustomerId) -> Result<()> {
    let gone = run!(tx, DELETE, [project, id], execute)?;
    counters::add(tx, project, Counter::Customers, id.uuid(), -(gone as i64));
    Ok(())
}

/// A page of customers, newest first, and the number of all that match.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, f: &Filter, limit: i64, offset: i64) -> Result<(Vec<CustomerRow>, i64)> {
    let query = LIST.query([project.into()], [
        f.name.as_deref().map(search::containing).map(Value::from),
        f.external_customer_id.as_deref().map(Value::from),
        f.created_from.map(Value::from),
        f.created_to.map(Value::from),
    ]);
    counters::page(conn, (project, Counter::Customers), &query, (limit, offset)).await
}
