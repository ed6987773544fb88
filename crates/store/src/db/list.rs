//! Lists with optional filters.
//!
//! Each combination of filters is a statement of its own: a filter that is not asked for is not in
//! the text, so each combination gets its own plan. A test looks at the plans of all
//! [`List::variants`].

use crate::db::{
    conn::Conn,
    error::{Error, Result},
    point,
    row::FromRow,
    sqlite,
};
use domain::{Id, Timestamp};
use rusqlite::{ToSql, types::ToSqlOutput};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// The parts of a list's statements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<const FIXED: usize, const FILTERS: usize> {
    pub(crate) columns: &'static str,
    /// Table and conditions that always hold, with `$1` for the project and `$2` and on for other
    /// fixed values.
    pub(crate) from: &'static str,
    /// `?` stands for the filter's value.
    pub(crate) filters: [&'static str; FILTERS],
    pub(crate) order: &'static str,
}

/// A bound value of a list.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Uuid(Uuid),
    Number(i64),
    Text(String),
    Flag(bool),
}

impl<T> From<Id<T>> for Value {
    fn from(id: Id<T>) -> Self {
        Self::Uuid(id.uuid())
    }
}
impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Number(time.micros())
    }
}
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Uuid(id) => id.to_sql(),
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
            Self::Flag(flag) => flag.to_sql(),
        }
    }
}

/// A list with its filters chosen.
pub(crate) struct Query {
    columns: &'static str,
    from: String,
    order: &'static str,
    values: Vec<Value>,
    pub(crate) is_filtered: bool,
}

impl<const FIXED: usize, const FILTERS: usize> List<FIXED, FILTERS> {
    pub(crate) fn query(&self, fixed: [Value; FIXED], filters: [Option<Value>; FILTERS]) -> Query {
        let (mut from, mut values) = (self.from.to_owned(), Vec::from(fixed));
        for (condition, value) in self.filters.into_iter().zip(filters) {
            if let Some(value) = value {
                values.push(value);
                add_condition(&mut from, condition, values.len());
            }
        }
        let is_filtered = values.len() > FIXED;
        Query { columns: self.columns, from, order: self.order, values, is_filtered }
    }
}

/// Statements of a list with some filters chosen.
#[cfg(feature = "testing")]
#[derive(Debug, Clone)]
pub struct Variant {
    /// `no filter`, `all filters`, or the condition of the one filter chosen.
    pub filters: &'static str,
    pub page: String,
    pub count: String,
}

#[cfg(feature = "testing")]
impl<const FIXED: usize, const FILTERS: usize> List<FIXED, FILTERS> {
    /// The list with no filter, with each filter alone, and with all.
    pub(crate) fn variants(&self) -> Vec<Variant> {
        let variant = |name, chosen: &dyn Fn(usize) -> bool| {
            let values = std::array::from_fn(|filter| chosen(filter).then_some(Value::Number(0)));
            let query = self.query(std::array::from_fn(|_| Value::Number(0)), values);
            Variant { filters: name, page: query.page_sql(), count: query.count_sql() }
        };
        let mut all = vec![variant("no filter", &|_| false)];
        all.extend((0..FILTERS).map(|one| variant(self.filters[one], &|filter| filter == one)));
        all.push(variant("all filters", &|_| true));
        all
    }
}

fn add_condition(from: &mut String, condition: &str, number: usize) {
    from.push_str(" AND ");
    from.push_str(&condition.replace('?', &format!("${number}")));
}

impl Query {
    pub(crate) fn count_sql(&self) -> String {
        format!("SELECT count(*) FROM {}", self.from)
    }

    pub(crate) fn page_sql(&self) -> String {
        let next = self.values.len() + 1;
        let Self { columns, from, order, .. } = self;
        format!("SELECT {columns} FROM {from} ORDER BY {order} LIMIT ${next} OFFSET ${}", next + 1)
    }

    pub(crate) async fn count(&self, conn: &mut Conn<'_>) -> Result<i64> {
        let counts: Vec<(i64,)> = fetch(conn, self.count_sql(), &self.values).await?;
        Ok(counts.first().map_or(0, |(count,)| *count))
    }

    pub(crate) async fn page<R: FromRow>(&self, conn: &mut Conn<'_>, limit: i64, offset: i64) -> Result<Vec<R>> {
        let mut values = self.values.clone();
        values.extend([Value::Number(limit), Value::Number(offset)]);
        fetch(conn, self.page_sql(), &values).await
    }
}

async fn fetch<R: FromRow>(conn: &mut Conn<'_>, sql: String, values: &[Value]) -> Result<Vec<R>> {
    match conn.reborrow() {
        Conn::Sqlite(c) => {
            point::pass().await;
            let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
            sqlite::fetch_all(c, &sql, &values).map_err(Error::from)
        }
        Conn::Postgres(c) => {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for value in values {
                query = match value {
                    Value::Uuid(id) => query.bind(*id),
                    Value::Number(number) => query.bind(*number),
                    Value::Text(text) => query.bind(text.clone()),
                    Value::Flag(flag) => query.bind(*flag),
                };
            }
            query.try_map(R::of_postgres).fetch_all(&mut *c).await.map_err(Error::from)
        }
    }
}
