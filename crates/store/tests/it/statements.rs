//! Every statement runs on both engines, and every statement on a tenant table names its project
//! first.

use rusqlite::ErrorCode;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqlSafeStr as _, Statement as _, TypeInfo as _,
};
use std::path::Path;
use store::{Conn, DatabaseUrl, Sql};
use testkit::database::TestDatabase;
use uuid::Uuid;

const BAD: &str = "SELECT nothing FROM nowhere WHERE a = $1";

/// Every statement, and every variant of a list: (file, name, SQLite, PostgreSQL).
fn all_statements() -> Vec<(&'static str, String, String, String)> {
    let own = |(file, name, sql): (&'static str, &str, Sql)| {
        (file, name.to_owned(), sql.sqlite.to_owned(), sql.postgres.to_owned())
    };
    let mut all: Vec<_> = store::statements().into_iter().map(own).collect();
    for (file, variants) in store::lists() {
        for variant in variants {
            for sql in [variant.page, variant.count] {
                all.push((file, variant.filters.to_owned(), sql.clone(), sql));
            }
        }
    }
    all
}

/// Class 23 means that a key or type refused made-up values: the statement itself is fine.
fn is_refused_by_a_constraint(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| code.len() == 5 && code.starts_with("23"))
}

/// SQLite reports no parameter types, so every value is 1; the strict tables refuse some, after the
/// statement was prepared.
fn problem_on_sqlite(conn: &mut rusqlite::Connection, sql: &str) -> Option<String> {
    let savepoint = conn.savepoint().expect("a savepoint");
    let run = || -> rusqlite::Result<()> {
        let mut statement = savepoint.prepare(sql)?;
        for at in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(at, 1)?;
        }
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        Ok(())
    };
    let problem = run().err().filter(|error| error.sqlite_error_code() != Some(ErrorCode::ConstraintViolation));
    problem.map(|error| error.to_string())
}

async fn problem_on_postgres(conn: &mut PgConnection, sql: &str) -> Option<String> {
    let mut tx = conn.begin().await.expect("a transaction");
    let problem = match run_on_postgres(&mut tx, sql).await {
        Err(error) if !is_refused_by_a_constraint(&error) => Some(error.to_string()),
        _ => None,
    };
    tx.rollback().await.expect("a rollback");
    problem
}

async fn run_on_postgres(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    let prepared = conn.prepare(AssertSqlSafe(sql).into_sql_str()).await?;
    let types = prepared.parameters().and_then(|either| either.left()).unwrap_or_default();
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for kind in types {
        query = match kind.name() {
            "UUID" => query.bind(Uuid::nil()),
            "INT8" => query.bind(1i64),
            "TEXT" => query.bind("x"),
            "BYTEA" => query.bind(vec![1u8]),
            "BOOL" => query.bind(true),
            other => panic!("a parameter of type {other} in {sql}"),
        };
    }
    query.fetch_all(conn).await.map(drop)
}

#[tokio::test]
async fn every_statement_runs_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let store = database.open().await;
    let mut transaction = store.begin().await.unwrap();
    let mut tx = transaction.tx().unwrap();
    let Conn::Sqlite(conn) = &mut *tx else { panic!("not SQLite") };
    assert!(problem_on_sqlite(conn, BAD).is_some(), "a bad statement is detected");
    let mut problems = Vec::new();
    let all = all_statements();
    for (file, name, sql, _) in &all {
        if let Some(problem) = problem_on_sqlite(conn, sql) {
            problems.push(format!("{file}::{name}: {problem}"));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    eprintln!("{} statements ran on SQLite", all.len());
    assert!(all.len() > 80);
}

#[tokio::test]
async fn every_statement_runs_on_postgresql() {
    if !crate::schema::postgres_is_here() {
        return;
    }
    let database = TestDatabase::postgres().await;
    let DatabaseUrl::Postgres(url) = &database.url else { panic!("not PostgreSQL") };
    let mut conn = PgConnection::connect(url).await.unwrap();
    assert!(problem_on_postgres(&mut conn, BAD).await.is_some(), "a bad statement is detected");
    let mut problems = Vec::new();
    let all = all_statements();
    for (file, name, _, sql) in &all {
        if let Some(problem) = problem_on_postgres(&mut conn, sql).await {
            problems.push(format!("{file}::{name}: {problem}"));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    eprintln!("{} statements ran on PostgreSQL", all.len());
    assert!(all.len() > 80);
}

/// Platform tables, and the statements that must run before a project is known.
const WITHOUT_A_PROJECT: [&str; 10] = [
    "census",
    "cli_logins",
    "due",
    "expired",
    "platform_settings",
    "projects",
    "sessions",
    "unscoped",
    "users",
    "webhook_events",
];

fn names_its_project_first(sql: &str) -> bool {
    if let Some(rest) = sql.strip_prefix("INSERT INTO ") {
        let starts = |text: Option<(&str, &str)>, with: &str| text.is_some_and(|(_, rest)| rest.starts_with(with));
        return starts(rest.split_once(" ("), "project_id,") && starts(rest.split_once(" VALUES ("), "$1,");
    }
    // The first condition of the statement's own WHERE: those of subqueries stand in parentheses
    // and come later.
    sql.split_once(" WHERE ").is_some_and(|(_, conditions)| conditions.starts_with("project_id = $1"))
}

#[test]
fn statements_on_tenant_tables_name_the_project_first() {
    for good in [
        "SELECT a FROM b WHERE project_id = $1 AND id = $2",
        "INSERT INTO b (project_id, id) VALUES ($1, $2)",
        "DELETE FROM b WHERE project_id = $1",
    ] {
        assert!(names_its_project_first(good), "{good}");
    }
    for bad in [
        "SELECT a FROM b",
        "SELECT a FROM b WHERE id = $1",
        "SELECT a FROM b WHERE id = $1 AND project_id = $2",
        "UPDATE b SET project_id = $1",
        "INSERT INTO b (id, project_id) VALUES ($1, $2)",
        "INSERT INTO b (project_id, id) VALUES ($2, $1)",
    ] {
        assert!(!names_its_project_first(bad), "{bad}");
    }
    for (file, name, sqlite, postgres) in all_statements() {
        for text in [sqlite, postgres] {
            assert!(WITHOUT_A_PROJECT.contains(&file) || names_its_project_first(&text), "{file}::{name}: {text}");
        }
    }
}

/// SQL outside of `statements!` and lists, where the tests above would not find it.
fn sql_elsewhere(source: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for (number, line) in source.lines().enumerate() {
        inside |= line.starts_with("statements! {") || line.starts_with("pub(crate) const LIST: List");
        let code = line.split("//").next().unwrap_or_default();
        let verbs = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH "];
        let has_sql = verbs.iter().any(|verb| code.contains(&format!("\"{verb}")));
        if code.contains("sqlx::query") || code.contains("sqlx::raw_sql") || (has_sql && !inside) {
            found.push(format!("{}: {}", number + 1, line.trim()));
        }
        inside &= line != "}" && line != "};";
    }
    found
}

#[test]
fn sql_is_declared_in_statement_lists_only() {
    let bad = "statements! {\n    A = [\"SELECT 1\"];\n}\nconst B: &str = \"SELECT 2\";\nsqlx::query(B)\n// sqlx::query in a comment";
    assert_eq!(sql_elsewhere(bad), ["4: const B: &str = \"SELECT 2\";", "5: sqlx::query(B)"]);

    // The machinery itself, in `db/`, has no resource.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let listed: Vec<_> = store::statements().iter().map(|(file, ..)| format!("{file}.rs")).collect();
    let lists: Vec<_> = store::lists().iter().map(|(file, _)| format!("{file}.rs")).collect();
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            assert_eq!(name, "db", "a folder: teach this test to walk it");
            continue;
        }
        let source = std::fs::read_to_string(entry.path()).unwrap();
        assert_eq!(sql_elsewhere(&source), [""; 0], "{name}");
        let declares = source.contains("\nstatements! {");
        assert_eq!(declares, listed.contains(&name), "{name} declares statements and is in the list, or neither");
        let has_list = source.contains(": List<");
        assert_eq!(has_list, lists.contains(&name), "{name} declares a list and is in `store::lists`, or neither");
        files += 1;
    }
    assert!(files > 15);
}
