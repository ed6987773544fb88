//! The migrations of both engines, embedded in the binary.

use sqlx::migrate::Migrator;

pub(crate) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

/// Without sqlx's advisory lock, which not every PostgreSQL-like database has.
pub(crate) fn postgres() -> Migrator {
    let mut migrations = sqlx::migrate!("migrations/postgres");
    migrations.set_locking(false);
    migrations
}
