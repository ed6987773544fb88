//! Conversions between Rust values and columns, and between rows and structs, on either engine.

use domain::{Id, Span, Timestamp, author::Author};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, Type, ValueRef},
};
use sqlx::{
    ColumnIndex, Encode, Postgres, Row as _,
    postgres::{PgRow, PgTypeInfo, PgValueRef},
};
use std::fmt::Display;
use uuid::Uuid;

/// A struct or tuple that is read from a row.
pub(crate) trait FromRow: Sized + Send + Unpin {
    fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self>;
    fn of_postgres(row: PgRow) -> sqlx::Result<Self>;
}

/// A stored value that is none of its type: damage, or a newer version wrote it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{value:?} is no {kind}")]
pub(crate) struct UnknownValue {
    pub(crate) value: String,
    pub(crate) kind: &'static str,
}

/// A type that is read from a column.
pub(crate) trait Column: Sized {
    type Stored: FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>;
    fn read(stored: Self::Stored) -> Result<Self, UnknownValue>;
}

/// A type that is bound to a placeholder.
pub(crate) trait Parameter {
    type Stored<'v>: ToSql + Encode<'v, Postgres> + sqlx::Type<Postgres>
    where
        Self: 'v;
    fn stored(&self) -> Self::Stored<'_>;
}

macro_rules! stored_as_is {
    ($($kind:ty),*) => {
        $(impl Column for $kind {
            type Stored = Self;
            fn read(stored: Self) -> Result<Self, UnknownValue> {
                Ok(stored)
            }
        })*
    };
}
stored_as_is!(i64, String, Vec<u8>, Uuid);

/// Each kind alone and as an optional value. (A generic `Option<T>` would need `T: 'static` with
/// today's compiler.)
macro_rules! bound {
    ($($kind:ty as $stored:ty $(where $($life:lifetime)? $($param:ident)?)?: $value:ident => $expr:expr;)*) => {
        $(impl$(<$($life)? $($param)?>)? crate::db::row::Parameter for $kind {
            type Stored<'v> = $stored where Self: 'v;
            fn stored(&self) -> Self::Stored<'_> {
                let $value = self;
                $expr
            }
        }

        impl$(<$($life)? $($param)?>)? crate::db::row::Parameter for Option<$kind> {
            type Stored<'v> = Option<$stored> where Self: 'v;
            fn stored(&self) -> Self::Stored<'_> {
                self.as_ref().map(|$value| $expr)
            }
        })*
    };
}
bound! {
    i64 as i64: number => *number;
    bool as bool: flag => *flag;
    Uuid as Uuid: id => *id;
    String as &'v str: text => text.as_ref();
    &'a str as &'v str where 'a: text => *text;
    Vec<u8> as &'v [u8]: bytes => bytes.as_ref();
    &'a [u8] as &'v [u8] where 'a: bytes => *bytes;
    [u8; 32] as &'v [u8]: bytes => bytes.as_ref();
    Timestamp as i64: time => time.micros();
    Span as i64: span => span.micros();
    Id<T> as Uuid where T: id => id.uuid();
    Author as String: author => author.to_string();
}

impl<T: Parameter + Sized> Parameter for &T {
    type Stored<'v>
        = T::Stored<'v>
    where
        Self: 'v;
    fn stored(&self) -> Self::Stored<'_> {
        T::stored(self)
    }
}

impl Column for Timestamp {
    type Stored = i64;
    fn read(stored: i64) -> Result<Self, UnknownValue> {
        Ok(Self::from_micros(stored))
    }
}

impl Column for Author {
    type Stored = String;
    fn read(stored: String) -> Result<Self, UnknownValue> {
        stored.parse().map_err(|_| UnknownValue { value: stored, kind: "author" })
    }
}

impl<T> Column for Id<T> {
    type Stored = Uuid;
    fn read(stored: Uuid) -> Result<Self, UnknownValue> {
        Ok(Self::from_uuid(stored))
    }
}

impl<C: Column> Column for Option<C> {
    type Stored = Option<C::Stored>;
    fn read(stored: Self::Stored) -> Result<Self, UnknownValue> {
        stored.map(C::read).transpose()
    }
}

/// A boolean column. PostgreSQL has some as BIGINT, because the first schema did; expressions are
/// BOOLEAN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredFlag(bool);

impl FromSql for StoredFlag {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|number| Self(number != 0))
    }
}

impl sqlx::Type<Postgres> for StoredFlag {
    fn type_info() -> PgTypeInfo {
        <bool as sqlx::Type<Postgres>>::type_info()
    }
    fn compatible(kind: &PgTypeInfo) -> bool {
        <bool as sqlx::Type<Postgres>>::compatible(kind) || <i64 as sqlx::Type<Postgres>>::compatible(kind)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for StoredFlag {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        // One byte or eight, text or binary: false is all zeros in either binary form.
        Ok(Self(value.as_bytes()?.iter().any(|byte| *byte != 0)))
    }
}

impl Column for bool {
    type Stored = StoredFlag;
    fn read(stored: StoredFlag) -> Result<Self, UnknownValue> {
        Ok(stored.0)
    }
}

/// Stores enums of the domain as the words that `as_str` gives and `FromStr` reads.
macro_rules! stored_words {
    ($($kind:ty),* $(,)?) => {
        $(impl crate::db::row::Column for $kind {
            type Stored = String;
            fn read(stored: String) -> std::result::Result<Self, crate::db::row::UnknownValue> {
                stored.parse().map_err(|_| crate::db::row::UnknownValue { value: stored, kind: stringify!($kind) })
            }
        }

        crate::db::row::bound! { $kind as &'static str: word => word.as_str(); })*

        #[cfg(test)]
        #[test]
        fn stored_words_read_back() {
            use crate::db::row::{Column as _, Parameter as _};
            $(for value in <$kind>::ALL.iter() {
                assert_eq!(<$kind>::read(value.stored().to_owned()).ok(), Some(*value));
            }
            assert!(<$kind>::read("no_such_word".to_owned()).is_err());)*
        }
    };
}

/// Reads the next column, which must have this name: statements name columns in the order of the
/// struct's fields. A lookup by name would be a good part of the cost of a row, so only builds with
/// debug assertions check the name.
pub(crate) fn next<C: Column>(row: &rusqlite::Row<'_>, at: &mut usize, name: &str) -> rusqlite::Result<C> {
    let here = *at;
    *at += 1;
    debug_assert_eq!(row.as_ref().column_name(here), Ok(name), "columns stand in the order of the fields");
    at_place(row, here)
}

fn at_place<C: Column>(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<C> {
    C::read(row.get(at)?).map_err(|error| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error)))
}

/// Reads a column of PostgreSQL by name or place.
pub(crate) fn get<C: Column, I: ColumnIndex<PgRow> + Display>(row: &PgRow, column: I) -> sqlx::Result<C> {
    C::read(row.try_get(&column)?)
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_string(), source: Box::new(error) })
}

/// Declares structs that are read from rows; each field is a column of its name. `COLUMNS` lists
/// them for statements.
macro_rules! rows {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident {
        $(#[$first_doc:meta])* $first_vis:vis $first:ident: $first_kind:ty,
        $($(#[$doc:meta])* $field_vis:vis $field:ident: $kind:ty,)*
    })*) => {
        $($(#[$meta])*
        $vis struct $name {
            $(#[$first_doc])* $first_vis $first: $first_kind,
            $($(#[$doc])* $field_vis $field: $kind,)*
        }

        impl $name {
            pub(crate) const COLUMNS: &str = concat!(stringify!($first) $(, ", ", stringify!($field))*);
        }

        // Some rows are only read from statements that compute their columns.
        const _: &str = $name::COLUMNS;

        impl crate::db::row::FromRow for $name {
            fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                let mut at = 0;
                Ok(Self {
                    $first: crate::db::row::next(row, &mut at, stringify!($first))?,
                    $($field: crate::db::row::next(row, &mut at, stringify!($field))?,)*
                })
            }

            fn of_postgres(row: sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                Ok(Self {
                    $first: crate::db::row::get(&row, stringify!($first))?,
                    $($field: crate::db::row::get(&row, stringify!($field))?,)*
                })
            }
        })*
    };
}
pub(crate) use {bound, rows, stored_words};

macro_rules! tuples {
    ($($($kind:ident $at:literal),+;)*) => {
        $(impl<$($kind: Column + Send + Unpin),+> FromRow for ($($kind,)+) {
            fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                Ok(($(at_place::<$kind>(row, $at)?,)+))
            }

            fn of_postgres(row: PgRow) -> sqlx::Result<Self> {
                Ok(($(get::<$kind, usize>(&row, $at)?,)+))
            }
        })*
    };
}
tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
}
