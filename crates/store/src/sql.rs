//! How a statement is written once for both databases, and how it is run.
//!
//! `statements!` declares a file's statements as constants and lists them, so that a test can run every one on both
//! engines. The shared dialect is: `$1` placeholders, `RETURNING`, `ON CONFLICT`, times and ids as bound values. Where an
//! engine truly differs a statement is written in parts; the only difference so far is `db_now`, the lease clock.

/// One statement, in each engine's words.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

/// Declares statements: `NAME = "text";`, or `NAME = ["part", db_now, "part"];` where the lease clock stands inside.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = [$($part:tt),+ $(,)?];)*) => {
        $($(#[$doc])* pub(crate) const $name: crate::sql::Sql = crate::sql::Sql {
            sqlite: concat!($(crate::db::part!(sqlite $part)),+),
            postgres: concat!($(crate::db::part!(postgres $part)),+),
        };)*
        /// Every statement of this file, for the test that runs them all.
        pub(crate) const ALL: &[(&str, crate::sql::Sql)] = &[$((stringify!($name), $name)),*];
    };
}

/// Runs a statement on whichever engine the connection speaks to: `run!(conn, FIND, [a, b], fetch_optional as Row)`.
macro_rules! run {
    ($conn:expr, $sql:expr, [$($value:expr),* $(,)?], execute) => {
        match $conn.reborrow() {
            crate::db::Conn::Sqlite(c) => {
                crate::point::pass().await;
                crate::sqlite::execute(c, $sql.sqlite, &[$(&$value),*]).map_err(crate::Error::from)
            }
            crate::db::Conn::Postgres(c) => sqlx::query($sql.postgres)$(.bind($value))*.execute(&mut *c).await
                .map(|done| done.rows_affected()).map_err(crate::Error::from),
        }
    };
    ($conn:expr, $sql:expr, [$($value:expr),* $(,)?], $fetch:ident as $row:ty) => {
        match $conn.reborrow() {
            crate::db::Conn::Sqlite(c) => {
                crate::point::pass().await;
                crate::sqlite::$fetch::<$row>(c, $sql.sqlite, &[$(&$value),*]).map_err(crate::Error::from)
            }
            crate::db::Conn::Postgres(c) => sqlx::query_as::<_, $row>($sql.postgres)$(.bind($value))*.$fetch(&mut *c).await
                .map_err(crate::Error::from),
        }
    };
}

pub(crate) use {run, statements};
