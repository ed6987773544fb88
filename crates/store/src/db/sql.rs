//! How a statement is written once for both databases, and how it is run.
//!
//! `statements!` declares a file's statements as constants and lists them, so that a test can run every one on both
//! engines. The shared dialect is: `$1` placeholders, `RETURNING`, `ON CONFLICT`, times and ids as bound values. Where an
//! engine truly differs a statement is written in parts; the only difference so far is `db_now`, the lease clock.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

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
        $($(#[$doc])* pub(crate) const $name: crate::db::sql::Sql = crate::db::sql::Sql {
            sqlite: concat!($(crate::db::store::part!(sqlite $part)),+),
            postgres: concat!($(crate::db::store::part!(postgres $part)),+),
        };)*
        /// Every statement of this file, for the test that runs them all.
        pub(crate) const ALL: &[(&str, crate::db::sql::Sql)] = &[$((stringify!($name), $name)),*];
    };
}

/// Runs a statement on whichever engine the connection speaks to: `run!(conn, FIND, [a, b], fetch_optional as Row)`.
macro_rules! run {
    ($conn:expr, $sql:expr, [$($value:expr),* $(,)?], execute) => {
        match $conn.reborrow() {
            crate::db::store::Conn::Sqlite(c) => {
                crate::db::point::pass().await;
                crate::db::sqlite::execute(c, $sql.sqlite, &[$(&$value),*]).map_err(crate::Error::from)
            }
            crate::db::store::Conn::Postgres(c) => sqlx::query($sql.postgres)$(.bind($value))*.execute(&mut *c).await
                .map(|done| done.rows_affected()).map_err(crate::Error::from),
        }
    };
    ($conn:expr, $sql:expr, [$($value:expr),* $(,)?], $fetch:ident as $row:ty) => {
        match $conn.reborrow() {
            crate::db::store::Conn::Sqlite(c) => {
                crate::db::point::pass().await;
                crate::db::sqlite::$fetch::<$row>(c, $sql.sqlite, &[$(&$value),*]).map_err(crate::Error::from)
            }
            crate::db::store::Conn::Postgres(c) => sqlx::query_as::<_, $row>($sql.postgres)$(.bind($value))*.$fetch(&mut *c).await
                .map_err(crate::Error::from),
        }
    };
}

/// [`run!`] for a list that may be filtered: a condition `AND (… OR $n IS NULL)` whose value is `None` is left out of the text,
/// and the others stand alone, so that each combination of filters has a plan of its own.
macro_rules! filtered {
    ($conn:expr, $sql:expr, [$($value:expr),* $(,)?], $fetch:ident as $row:ty) => {{
        let given = [$(crate::db::sql::Parameter::given(&$value)),*];
        let narrowed = crate::db::sql::narrowed(&$sql, &given);
        match $conn.reborrow() {
            crate::db::store::Conn::Sqlite(c) => {
                crate::db::point::pass().await;
                let all: &[&dyn rusqlite::ToSql] = &[$(&$value),*];
                let values: Vec<_> = all.iter().zip(given).filter(|(_, given)| *given != Some(false)).map(|(value, _)| *value).collect();
                crate::db::sqlite::$fetch::<$row>(c, narrowed.sqlite, &values).map_err(crate::Error::from)
            }
            crate::db::store::Conn::Postgres(c) => {
                let mut given = given.into_iter();
                let query = sqlx::query_as::<_, $row>(narrowed.postgres);
                $(let query = if given.next() == Some(Some(false)) { query } else { query.bind($value) };)*
                query.$fetch(&mut *c).await.map_err(crate::Error::from)
            }
        }
    }};
}

/// How many match: counted if anything is filtered by, else what `$whole` knows.
macro_rules! count {
    ($conn:expr, $sql:expr, [$($value:expr),* $(,)?], $whole:expr) => {
        if [$(crate::db::sql::Parameter::given(&$value)),*].contains(&Some(true)) {
            filtered!($conn, $sql, [$($value),*], fetch_one as (i64,)).map(|(count,)| count)
        } else {
            $whole.await
        }
    };
}

pub(crate) use {count, filtered, run, statements};

/// A value of a statement, which may be a filter that is not asked for.
pub(crate) trait Parameter {
    /// Whether a filter is asked for; `None` for what is no filter.
    fn given(&self) -> Option<bool> {
        None
    }
}

impl Parameter for i64 {}
impl Parameter for Uuid {}
impl Parameter for &str {}
impl<T> Parameter for Option<T> {
    fn given(&self) -> Option<bool> {
        Some(self.is_some())
    }
}

/// The statement for these filters. There are few combinations, and each text is made once and kept.
pub(crate) fn narrowed(sql: &Sql, given: &[Option<bool>]) -> Sql {
    static MADE: Mutex<Option<HashMap<(usize, u64), Sql>>> = Mutex::new(None);
    let absent = given.iter().enumerate().filter(|(_, given)| **given == Some(false)).map(|(at, _)| 1u64 << at).sum();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_default().entry((sql.sqlite.as_ptr() as usize, absent));
    *made.or_insert_with(|| Sql {
        sqlite: without(sql.sqlite, absent).leak(),
        postgres: without(sql.postgres, absent).leak(),
    })
}

/// The text without the conditions on absent values, its placeholders numbered anew.
fn without(text: &str, absent: u64) -> String {
    const END: &str = " IS NULL)";
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some(end) = text[from..].find(END).map(|at| from + at) {
        let Some(or) = text[..end].rfind(" OR $").filter(|or| text[or + 5..end].bytes().all(|b| b.is_ascii_digit()))
        else {
            from = end + END.len();
            continue;
        };
        let number: u32 = text[or + 5..end].parse().unwrap_or_default();
        if absent & (1 << (number - 1)) == 0 {
            text.replace_range(or..end + END.len() - 1, "");
            from = or;
        } else {
            let open = opening(&text[..or]);
            text.replace_range(open - " AND ".len()..end + END.len(), "");
            from = open - " AND ".len();
        }
    }
    renumbered(&text, absent)
}

/// Where the parenthesis opens that is still open at the end of a text.
fn opening(text: &str) -> usize {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' if depth == 0 => return at,
            b'(' => depth -= 1,
            _ => {}
        }
    }
    0
}

fn renumbered(text: &str, absent: u64) -> String {
    let mut parts = text.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: u32 = part[..digits].parse().unwrap_or(1);
        let before = (absent & ((1 << (number - 1)) - 1)).count_ones();
        out.push_str(&format!("${}{}", number - before, &part[digits..]));
    }
    out
}

/// Each statement with one filter, with none and with all: for the test that looks at their plans.
#[doc(hidden)]
pub fn narrowings(sql: &Sql) -> Vec<(String, Sql)> {
    let filters: Vec<u32> = (1..32).filter(|number| sql.sqlite.contains(&format!(" OR ${number} IS NULL)"))).collect();
    let all: u64 = filters.iter().map(|number| 1 << (number - 1)).sum();
    let with = |absent: u64| Sql {
        sqlite: without(sql.sqlite, absent).leak(),
        postgres: without(sql.postgres, absent).leak(),
    };
    let mut texts = vec![("no filter".to_owned(), with(all))];
    texts.extend(filters.iter().map(|number| (format!("filter ${number}"), with(all & !(1 << (number - 1))))));
    texts.push(("all filters".to_owned(), with(0)));
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_not_asked_for_is_not_in_the_text() {
        let text = "SELECT a FROM b WHERE project_id = $1 AND (c = $2 OR $2 IS NULL) \
                    AND (d IN (SELECT id FROM e WHERE project_id = $1 AND f = $3) OR $3 IS NULL) \
                    AND ((g IS NULL) = $4 OR $4 IS NULL) AND (h IS NOT NULL OR i IS NOT NULL) ORDER BY j LIMIT $5 OFFSET $6";
        let rest = "AND (h IS NOT NULL OR i IS NOT NULL) ORDER BY j";
        let cases = [
            (0b1110, format!("SELECT a FROM b WHERE project_id = $1 {rest} LIMIT $2 OFFSET $3")),
            (0b1100, format!("SELECT a FROM b WHERE project_id = $1 AND (c = $2) {rest} LIMIT $3 OFFSET $4")),
            (
                0b1010,
                format!(
                    "SELECT a FROM b WHERE project_id = $1 AND (d IN (SELECT id FROM e WHERE project_id = $1 AND f = $2)) \
                     {rest} LIMIT $3 OFFSET $4"
                ),
            ),
            (0b0110, format!("SELECT a FROM b WHERE project_id = $1 AND ((g IS NULL) = $2) {rest} LIMIT $3 OFFSET $4")),
        ];
        for (absent, expected) in cases {
            assert_eq!(without(text, absent), expected, "{absent:b}");
        }
    }
}
