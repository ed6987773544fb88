//! How a row becomes a struct, on either engine.

use domain::{Id, Timestamp};
use rusqlite::types::FromSql;
use sqlx::{Postgres, postgres::PgRow};
use uuid::Uuid;

/// A row, read by the names of its columns.
pub(crate) trait FromRow: Sized + Send + Unpin + for<'r> sqlx::FromRow<'r, PgRow> {
    /// Reads a row of SQLite.
    fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self>;
}

/// A value as the code sees it, made from the one in the column.
pub(crate) trait Column {
    /// What both engines store.
    type Stored: FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>;
    /// Reads it.
    fn of(stored: Self::Stored) -> Self;
}

macro_rules! columns {
    ($($kind:ty),*) => {
        $(impl Column for $kind {
            type Stored = Self;
            fn of(stored: Self) -> Self {
                stored
            }
        })*
    };
}
columns!(i64, bool, String, Vec<u8>, Uuid);

impl Column for Timestamp {
    type Stored = i64;
    fn of(stored: i64) -> Self {
        Self::from_micros(stored)
    }
}

impl<T> Column for Id<T> {
    type Stored = Uuid;
    fn of(stored: Uuid) -> Self {
        Self::from_uuid(stored)
    }
}

impl<C: Column> Column for Option<C> {
    type Stored = Option<C::Stored>;
    fn of(stored: Self::Stored) -> Self {
        stored.map(C::of)
    }
}

/// The next column, which is to be that of this name: statements name columns in the order of the struct's fields. Looking each
/// up by its name would be a good part of what reading a row costs, so that only builds with debug assertions look.
pub(crate) fn next<T: FromSql>(row: &rusqlite::Row<'_>, at: &mut usize, name: &str) -> rusqlite::Result<T> {
    let here = *at;
    *at += 1;
    debug_assert_eq!(row.as_ref().column_name(here), Ok(name), "columns stand in the order of the fields");
    row.get(here)
}

/// Declares structs that are read from rows; each field is a column of its name.
macro_rules! rows {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$doc:meta])* $field_vis:vis $field:ident: $kind:ty,)* })*) => {
        $($(#[$meta])*
        $vis struct $name { $($(#[$doc])* $field_vis $field: $kind,)* }

        impl crate::db::row::FromRow for $name {
            fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                let mut at = 0;
                Ok(Self { $($field: <$kind as crate::db::row::Column>::of(crate::db::row::next(row, &mut at, stringify!($field))?),)* })
            }
        }

        impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: <$kind as crate::db::row::Column>::of(row.try_get(stringify!($field))?),)* })
            }
        })*
    };
}
pub(crate) use rows;

macro_rules! tuples {
    ($($($kind:ident $at:literal),+;)*) => {
        $(impl<$($kind),+> FromRow for ($($kind,)+)
        where
            $($kind: FromSql + Send + Unpin + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>),+
        {
            fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                Ok(($(row.get::<_, $kind>($at)?,)+))
            }
        })*
    };
}
tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
}
