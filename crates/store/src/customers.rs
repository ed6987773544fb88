//! Customers: whom the project works for.

use crate::{Conn, Result, Tx, counters::{self, List}, db::row::rows, search, db::sql::{count, filtered, run, statements}};
use domain::{Timestamp, ids::{CustomerId, ProjectId}};

rows! {
    /// A stored customer.
    #[derive(Debug, Clone)]
    pub struct CustomerRow {
        /// Its id.
        pub id: CustomerId,
        /// What people call it.
        pub name: String,
        /// The project's own key for it, unique in the project.
        pub external_customer_id: Option<String>,
        /// A JSON object.
        pub metadata: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was changed.
        pub updated_at: Timestamp,
    }
}

/// Which customers a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The name contains this, in any case.
    pub name: Option<String>,
    /// Exact external id.
    pub external_customer_id: Option<String>,
    /// Made at or after.
    pub created_from: Option<Timestamp>,
    /// Made at or before.
    pub created_to: Option<Timestamp>,
}

statements! {
    INSERT = ["INSERT INTO customers (project_id, id, name, name_search, external_customer_id, metadata, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"];
    FIND = ["SELECT id, name, external_customer_id, metadata, created_at, updated_at FROM customers WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE customers SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING id, name, external_customer_id, metadata, created_at, updated_at"];
    EXTERNAL = ["SELECT id, name, external_customer_id, metadata, created_at, updated_at FROM customers \
                 WHERE project_id = $1 AND external_customer_id = $2"];
    UPDATE = ["UPDATE customers SET name = $3, name_search = $4, external_customer_id = $5, metadata = $6, updated_at = $7 \
               WHERE project_id = $1 AND id = $2"];
    DELETE = ["DELETE FROM customers WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT id, name, external_customer_id, metadata, created_at, updated_at FROM customers \
             WHERE project_id = $1 AND (name_search LIKE $2 ESCAPE '\\' OR $2 IS NULL) AND (external_customer_id = $3 OR $3 IS NULL) \
             AND (created_at >= $4 OR $4 IS NULL) AND (created_at <= $5 OR $5 IS NULL) \
             ORDER BY created_at DESC, id DESC LIMIT $6 OFFSET $7"];
    COUNT = ["SELECT count(*) FROM customers \
              WHERE project_id = $1 AND (name_search LIKE $2 ESCAPE '\\' OR $2 IS NULL) AND (external_customer_id = $3 OR $3 IS NULL) \
              AND (created_at >= $4 OR $4 IS NULL) AND (created_at <= $5 OR $5 IS NULL)"];
}

/// Stores a customer. A second one with its external id is refused.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &CustomerRow) -> Result<()> {
    let times = [c.created_at.micros(), c.updated_at.micros()];
    let (search, external) = (search::folded(&c.name), c.external_customer_id.as_deref());
    run!(tx, INSERT, [project.uuid(), c.id.uuid(), &c.name, &search, external, &c.metadata, times[0], times[1]], execute)?;
    counters::grew(tx, project, List::Customers, c.id.uuid(), 1);
    Ok(())
}

/// The customer of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: CustomerId) -> Result<Option<CustomerRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as CustomerRow)
}

/// The customer of this id, for changing it: other changes wait until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: CustomerId) -> Result<Option<CustomerRow>> {
    run!(tx, LOCK, [project.uuid(), id.uuid()], fetch_optional as CustomerRow)
}

/// The customer with this external id.
pub async fn with_external_id(conn: &mut Conn<'_>, project: ProjectId, external: &str) -> Result<Option<CustomerRow>> {
    run!(conn, EXTERNAL, [project.uuid(), external], fetch_optional as CustomerRow)
}

/// Writes name, external id and metadata of a row that was locked in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, c: &CustomerRow) -> Result<()> {
    let (search, external) = (search::folded(&c.name), c.external_customer_id.as_deref());
    run!(tx, UPDATE, [project.uuid(), c.id.uuid(), &c.name, &search, external, &c.metadata, c.updated_at.micros()], execute).map(drop)
}

/// Removes a customer. Nothing may refer to it any more.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: CustomerId) -> Result<()> {
    let gone = run!(tx, DELETE, [project.uuid(), id.uuid()], execute)?;
    counters::grew(tx, project, List::Customers, id.uuid(), -(gone as i64));
    Ok(())
}

/// A page of customers, newest first, and how many match.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, f: &Filter, limit: i64, offset: i64) -> Result<(Vec<CustomerRow>, i64)> {
    let (name, external) = (f.name.as_deref().map(search::containing), f.external_customer_id.as_deref());
    let (from, to) = (f.created_from.map(Timestamp::micros), f.created_to.map(Timestamp::micros));
    let name = name.as_deref();
    let total = count!(conn, COUNT, [project.uuid(), name, external, from, to], counters::length(conn, project, List::Customers))?;
    if offset >= total {
        return Ok((Vec::new(), total));
    }
    let rows = filtered!(conn, LIST, [project.uuid(), name, external, from, to, limit, offset], fetch_all as CustomerRow)?;
    Ok((rows, total))
}
