//! Statements: written once for both databases, and run on either.
//!
//! `statements!` declares a file's statements as constants and lists them, so that a test can run
//! each on both engines. The shared dialect is: `$1` placeholders, `RETURNING`, `ON CONFLICT`,
//! times and ids as bound values. The only difference between the engines so far is `db_now`, the
//! lease clock.

/// One statement, in each engine's words.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

/// Declares statements: `NAME = ["text", RowStruct, "text", db_now, "text"];`. A row struct stands
/// for its columns.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = [$($part:tt),+ $(,)?];)*) => {
        $($(#[$doc])* pub(crate) const $name: crate::db::sql::Sql = crate::db::sql::Sql {
            sqlite: crate::db::sql::join!($(crate::db::sql::part!(sqlite $part)),+),
            postgres: crate::db::sql::join!($(crate::db::sql::part!(postgres $part)),+),
        };)*
        /// Every statement of this file, for the test that runs them all.
        #[cfg(feature = "testing")]
        pub(crate) const ALL: &[(&str, crate::db::sql::Sql)] = &[$((stringify!($name), $name)),*];
    };
}

/// A part of a statement in one engine's words. Leases compare database time with database time, so
/// that no node's clock can take or keep one: `db_now` is the only place where a statement asks for
/// the time.
macro_rules! part {
    (sqlite db_now) => {
        "db_now()"
    };
    (postgres db_now) => {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
    ($engine:ident $text:literal) => {
        $text
    };
    ($engine:ident $row:ident) => {
        $row::COLUMNS
    };
}

/// `concat!` for constants.
macro_rules! join {
    ($($part:expr),+) => {{
        const PARTS: &[&str] = &[$($part),+];
        const BYTES: [u8; crate::db::sql::length(PARTS)] = crate::db::sql::joined(PARTS);
        match str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => unreachable!(),
        }
    }};
}

pub(crate) const fn length(parts: &[&str]) -> usize {
    let (mut length, mut part) = (0, 0);
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

pub(crate) const fn joined<const N: usize>(parts: &[&str]) -> [u8; N] {
    let (mut bytes, mut end, mut part) = ([0; N], 0, 0);
    while part < parts.len() {
        let text = parts[part].as_bytes();
        let mut at = 0;
        while at < text.len() {
            bytes[end] = text[at];
            (end, at) = (end + 1, at + 1);
        }
        part += 1;
    }
    bytes
}

/// Runs a statement on whichever engine the connection speaks to: `run!(conn, FIND, [a, b],
/// fetch_optional as Row)`.
macro_rules! run {
    ($conn:expr, $sql:expr, [$($value:expr),* $(,)?], execute) => {
        match $conn.reborrow() {
            crate::db::Conn::Sqlite(c) => {
                crate::db::point::pass().await;
                crate::db::sqlite::execute(c, $sql.sqlite, &[$(&crate::db::row::Parameter::stored(&$value)),*])
                    .map_err(crate::Error::from)
            }
            crate::db::Conn::Postgres(c) => sqlx::query($sql.postgres)$(.bind(crate::db::row::Parameter::stored(&$value)))*
                .execute(&mut *c).await
                .map(|done| done.rows_affected()).map_err(crate::Error::from),
        }
    };
    ($conn:expr, $sql:expr, [$($value:expr),* $(,)?], $fetch:ident as $row:ty) => {
        match $conn.reborrow() {
            crate::db::Conn::Sqlite(c) => {
                crate::db::point::pass().await;
                crate::db::sqlite::$fetch::<$row>(c, $sql.sqlite, &[$(&crate::db::row::Parameter::stored(&$value)),*])
                    .map_err(crate::Error::from)
            }
            crate::db::Conn::Postgres(c) => sqlx::query($sql.postgres)
                $(.bind(crate::db::row::Parameter::stored(&$value)))*
                .try_map(<$row as crate::db::row::FromRow>::of_postgres)
                .$fetch(&mut *c).await
                .map_err(crate::Error::from),
        }
    };
}

pub(crate) use {join, part, run, statements};
