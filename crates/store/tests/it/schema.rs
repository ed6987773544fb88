//! Both migration folders create the same schema, in each engine's types.

use rusqlite::{Connection as SqliteConnection, Row};
use sqlx::{Connection as _, PgConnection};
use std::collections::{BTreeMap, BTreeSet};
use store::DatabaseUrl;
use testkit::database::TestDatabase;

/// True if a test that compares the engines can run. `cargo xtask test` runs this crate twice, the
/// second time with a server; `CHASQUI_REQUIRE_POSTGRES=1` makes its absence a failure.
pub fn postgres_is_here() -> bool {
    if TestDatabase::has_postgres() {
        return true;
    }
    let required = std::env::var("CHASQUI_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
    assert!(!required, "CHASQUI_REQUIRE_POSTGRES=1, but TEST_DATABASE_URL names no server");
    eprintln!("needs TEST_DATABASE_URL: nothing was compared");
    false
}

type Schema = BTreeMap<String, Table>;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Table {
    columns: Vec<Column>,
    primary_key: Vec<String>,
    indexes: BTreeMap<String, Index>,
    /// Own columns, the other table, its columns.
    references: BTreeSet<Reference>,
}

type Reference = (Vec<String>, String, Vec<String>);

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    kind: &'static str,
    required: bool,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Index {
    columns: Vec<String>,
    unique: bool,
    predicate: Option<String>,
}

fn differences(one: &Schema, other: &Schema) -> Vec<String> {
    let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differs = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    differs.map(|name| format!("{name}:\n{:#?}\n{:#?}", one.get(name), other.get(name))).collect()
}

/// One spelling for both engines' index predicates.
fn normalised(predicate: &str) -> String {
    let text = predicate.replace("::text", "").replace("= ANY (ARRAY[", "IN (").replace("])", ")");
    // The engines print different parentheses; no predicate here needs them.
    text.replace(['(', ')'], "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// SQLite stores ids as blobs, recognisable by name only.
fn sqlite_kind(column: &str, declared: &str) -> &'static str {
    match declared {
        "BLOB" if column == "id" || column.ends_with("_id") => "uuid",
        "BLOB" => "bytes",
        "INTEGER" => "integer",
        "TEXT" => "text",
        other => panic!("{column} is {other}"),
    }
}

fn postgres_kind(column: &str, declared: &str) -> &'static str {
    match declared {
        "uuid" => "uuid",
        "bytea" => "bytes",
        "bigint" => "integer",
        "text" => "text",
        other => panic!("{column} is {other}"),
    }
}

const MIGRATIONS: &str = "_sqlx_migrations";

fn rows<T>(conn: &SqliteConnection, sql: &str, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> rusqlite::Result<Vec<T>> {
    conn.prepare(sql)?.query_map([], read)?.collect()
}

fn of_sqlite(conn: &SqliteConnection) -> rusqlite::Result<Schema> {
    let mut schema = Schema::new();
    let columns: Vec<(String, String, String, bool, i64)> = rows(
        conn,
        "SELECT m.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' ORDER BY m.name, c.cid",
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    )?;
    let mut keys: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    for (table, name, kind, required, place) in columns.into_iter().filter(|row| row.0 != MIGRATIONS) {
        if place > 0 {
            keys.entry(table.clone()).or_default().insert(place, name.clone());
        }
        let kind = sqlite_kind(&name, &kind);
        schema.entry(table).or_default().columns.push(Column { name, kind, required });
    }
    for (table, key) in keys {
        schema.entry(table).or_default().primary_key = key.into_values().collect();
    }
    let indexes: Vec<(String, String, bool, Option<String>, String)> = rows(
        conn,
        "SELECT m.name, l.name, l.\"unique\", x.sql, c.name FROM sqlite_master m JOIN pragma_index_list(m.name) l \
         JOIN pragma_index_info(l.name) c LEFT JOIN sqlite_master x ON x.type = 'index' AND x.name = l.name \
         WHERE m.type = 'table' AND l.origin <> 'pk' ORDER BY m.name, l.name, c.seqno",
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    )?;
    for (table, name, unique, sql, column) in indexes {
        let index = schema.entry(table).or_default().indexes.entry(name).or_default();
        index.unique = unique;
        index.predicate = sql.and_then(|sql| sql.split_once(" WHERE ").map(|(_, predicate)| normalised(predicate)));
        index.columns.push(column);
    }
    let references: Vec<(String, i64, String, String, String)> = rows(
        conn,
        "SELECT m.name, f.id, f.\"table\", f.\"from\", f.\"to\" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
         WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq",
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    )?;
    let mut grouped: BTreeMap<(String, i64), Reference> = BTreeMap::new();
    for (table, id, target, from, to) in references {
        let reference = grouped.entry((table, id)).or_default();
        reference.0.push(from);
        reference.1 = target;
        reference.2.push(to);
    }
    for ((table, _), reference) in grouped {
        schema.entry(table).or_default().references.insert(reference);
    }
    Ok(schema)
}

async fn of_postgres(conn: &mut PgConnection) -> sqlx::Result<Schema> {
    let mut schema = Schema::new();
    let columns: Vec<(String, String, String, bool)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'NO' FROM information_schema.columns \
         WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    )
    .fetch_all(&mut *conn)
    .await?;
    for (table, name, kind, required) in columns.into_iter().filter(|row| row.0 != MIGRATIONS) {
        let kind = postgres_kind(&name, &kind);
        schema.entry(table).or_default().columns.push(Column { name, kind, required });
    }
    type IndexRow = (String, String, bool, bool, Option<String>, Vec<String>);
    let indexes: Vec<IndexRow> = sqlx::query_as(
        "SELECT t.relname::text, i.relname::text, x.indisunique, x.indisprimary, pg_get_expr(x.indpred, x.indrelid), \
         ARRAY(SELECT a.attname::text FROM unnest(x.indkey) WITH ORDINALITY k (n, place) \
             JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.n ORDER BY k.place) \
         FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
         WHERE t.relnamespace = 'public'::regnamespace",
    )
    .fetch_all(&mut *conn)
    .await?;
    for (table, name, unique, is_primary, predicate, columns) in indexes.into_iter().filter(|row| row.0 != MIGRATIONS) {
        let table = schema.entry(table).or_default();
        if is_primary {
            table.primary_key = columns;
        } else {
            let predicate = predicate.as_deref().map(normalised);
            table.indexes.insert(name, Index { columns, unique, predicate });
        }
    }
    let references: Vec<(String, String, Vec<String>, Vec<String>)> = sqlx::query_as(
        "SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, \
         ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k (n, place) \
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.place), \
         ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k (n, place) \
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.place) \
         FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace",
    )
    .fetch_all(conn)
    .await?;
    for (table, target, own, others) in references {
        schema.entry(table).or_default().references.insert((own, target, others));
    }
    Ok(schema)
}

async fn sqlite_schema() -> Schema {
    let database = TestDatabase::sqlite().await;
    let DatabaseUrl::Sqlite(path) = &database.url else { panic!("not SQLite") };
    of_sqlite(&SqliteConnection::open(path).expect("a connection")).expect("the schema")
}

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    if !postgres_is_here() {
        return;
    }
    let database = TestDatabase::postgres().await;
    let DatabaseUrl::Postgres(url) = &database.url else { panic!("not PostgreSQL") };
    let mut conn = PgConnection::connect(url).await.unwrap();
    let postgres = of_postgres(&mut conn).await.unwrap();
    let differences = differences(&sqlite_schema().await, &postgres);
    assert!(differences.is_empty(), "{}", differences.join("\n"));

    // Each of these changes must be detected.
    for change in [
        "ALTER TABLE events ALTER COLUMN body DROP NOT NULL",
        "ALTER TABLE jobs ADD COLUMN surprise TEXT",
        "DROP INDEX outbox_due",
        "ALTER TABLE agents DROP CONSTRAINT agents_project_id_fkey",
    ] {
        let before = of_postgres(&mut conn).await.unwrap();
        sqlx::query(change).execute(&mut conn).await.unwrap();
        assert_eq!(self::differences(&before, &of_postgres(&mut conn).await.unwrap()).len(), 1, "{change}");
    }
}

#[tokio::test]
async fn every_schema_difference_is_detected() {
    let schema = sqlite_schema().await;
    let conversations = &schema["conversations"];
    // The comparison reads all parts of the schema.
    assert!(schema.len() > 20);
    assert_eq!(conversations.primary_key, ["project_id", "id"]);
    assert_eq!(conversations.indexes["conversations_open"].predicate.as_deref(), Some("status = 'active'"));
    assert!(conversations.indexes["conversations_open"].unique);
    assert_eq!(conversations.references.len(), 2);
    assert!(differences(&schema, &schema).is_empty());

    let changes: [fn(&mut Table); 8] = [
        |table| table.columns[0].required = false,
        |table| table.columns[0].kind = "text",
        |table| drop(table.columns.pop()),
        |table| table.primary_key.reverse(),
        |table| drop(table.indexes.pop_first()),
        |table| table.indexes.values_mut().for_each(|index| index.unique = false),
        |table| table.indexes.values_mut().for_each(|index| index.predicate = Some("status = 'open'".into())),
        |table| drop(table.references.pop_first()),
    ];
    for change in changes {
        let mut changed = schema.clone();
        change(changed.get_mut("conversations").unwrap());
        assert_eq!(differences(&schema, &changed).len(), 1);
    }
    let mut without = schema.clone();
    without.remove("jobs");
    assert_eq!(differences(&schema, &without).len(), 1);
}

#[test]
fn index_predicates_of_both_engines_compare_equal() {
    let pairs = [
        ("status = 'active'", "(status = 'active'::text)"),
        ("due_at IS NOT NULL", "(due_at IS NOT NULL)"),
        ("wa_id IS NOT NULL OR user_id IS NOT NULL", "((wa_id IS NOT NULL) OR (user_id IS NOT NULL))"),
        ("state IN ('queued', 'sending')", "(state = ANY (ARRAY['queued'::text, 'sending'::text]))"),
    ];
    for (sqlite, postgres) in pairs {
        assert_eq!(normalised(sqlite), normalised(postgres));
    }
    assert_ne!(normalised("status = 'active'"), normalised("(status = 'open'::text)"));
}

/// Tenancy by key: the project leads, in tables that have one.
#[tokio::test]
async fn tenant_keys_start_with_the_project() {
    // Looked up before a project is known; the others have no project.
    let exceptions = [
        "cli_logins",
        "cli_tokens",
        "directory",
        "held_webhooks",
        "password_resets",
        "platform_settings",
        "projects",
        "sessions",
        "users",
        "webhook_events",
    ];
    for (name, table) in sqlite_schema().await {
        if exceptions.contains(&name.as_str()) {
            continue;
        }
        assert_eq!(table.primary_key.first().map(String::as_str), Some("project_id"), "{name}");
        let of_project = |index: &str| index != "invitations_of_token";
        for (index, of) in table.indexes.iter().filter(|(index, of)| of.unique && of_project(index)) {
            assert_eq!(of.columns[0], "project_id", "{index}");
        }
        for (own, target, _) in &table.references {
            assert_eq!(own[0], "project_id", "{name} to {target}");
        }
    }
}
