//! How the engines carry out what lists ask for: by an index that has the order too, however the list is filtered, so that a
//! page costs the same in a project of any size.

use rusqlite::Connection;
use sqlx::{Connection as _, PgConnection, Row as _};
use store::{DatabaseUrl, Sql};
use testkit::database::TestDatabase;

/// Every way in which a page of a list is asked for.
fn pages() -> Vec<(String, Sql)> {
    let mut pages = narrowings_of(|_, sql| sql.sqlite.contains(" OFFSET $"));
    pages.retain(|(name, _)| !ORDERED_WHEN_READ.iter().any(|(exception, _)| name == exception));
    pages
}

/// Pages that are put in order when they are asked for, and why.
const ORDERED_WHEN_READ: [(&str, &str); 1] = [("conversations::LIST filter $5", "one person has few conversations")];

/// Counts of filtered lists.
fn counts() -> Vec<(String, Sql)> {
    let lists = ["contacts", "conversations", "customers", "executions", "messages", "whatsapp_configs"];
    let mut counts = narrowings_of(|(file, name), _| name == "COUNT" && lists.contains(&file));
    // Of a whole list the counter is asked, if it has one.
    counts.retain(|(name, _)| !name.ends_with("no filter") || name.starts_with("messages::"));
    counts.retain(|(name, _)| !BEYOND_AN_INDEX.iter().any(|(exception, _)| name == exception));
    counts
}

/// Counts that look at rows as well, and why.
const BEYOND_AN_INDEX: [(&str, &str); 15] = [
    ("contacts::COUNT filter $6", "a text inside the name is in no order"),
    ("contacts::COUNT filter $7", "digits inside the number are in no order"),
    ("contacts::COUNT filter $3", "the customer is looked up by its external id first"),
    ("contacts::COUNT filter $4", "has a customer or not: no index that has the customer is in the order of time"),
    ("contacts::COUNT filter $5", "the same"),
    ("contacts::COUNT all filters", "one index is taken, the rest is read"),
    ("conversations::COUNT all filters", "the same"),
    ("customers::COUNT filter $2", "a text inside the name is in no order"),
    ("customers::COUNT filter $3", "one row at most"),
    ("customers::COUNT all filters", "one row at most"),
    ("executions::COUNT filter $6", "runs are in the order of their start, not of their end"),
    ("executions::COUNT filter $7", "the same"),
    ("executions::COUNT all filters", "one index is taken, the rest is read"),
    ("whatsapp_configs::COUNT filter $4", "a text inside the name is in no order"),
    ("whatsapp_configs::COUNT all filters", "one index is taken, the rest is read"),
];

fn narrowings_of(wanted: impl Fn((&str, &str), &Sql) -> bool) -> Vec<(String, Sql)> {
    let all = store::statements().into_iter().filter(|(file, name, sql)| wanted((file, name), sql));
    all.flat_map(|(file, name, sql)| {
        let ways = store::narrowings(&sql).into_iter();
        ways.map(move |(way, sql)| (format!("{file}::{name} {way}"), sql))
    })
    .collect()
}

fn plan_of_sqlite(conn: &Connection, sql: &str) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    for at in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(at, 1).expect("a parameter");
    }
    let mut rows = statement.raw_query();
    let mut plan = String::new();
    while let Some(row) = rows.next().expect("a row") {
        plan.push_str(&row.get::<_, String>(3).expect("a detail"));
        plan.push('\n');
    }
    plan
}

fn is_slow_on_sqlite(plan: &str) -> bool {
    plan.contains("SCAN ") || plan.contains("TEMP B-TREE")
}

async fn sqlite() -> (TestDatabase, Connection) {
    let database = TestDatabase::sqlite().await;
    let DatabaseUrl::Sqlite(path) = &database.url else { panic!("not SQLite") };
    let conn = Connection::open(path).expect("a connection");
    (database, conn)
}

#[tokio::test]
async fn every_list_is_read_in_the_order_of_an_index_on_sqlite() {
    let (_database, conn) = sqlite().await;
    let by_name = "SELECT id FROM customers WHERE project_id = $1 ORDER BY name LIMIT $2 OFFSET $3";
    for bad in [by_name, "SELECT id FROM customers ORDER BY id LIMIT $1 OFFSET $2"] {
        assert!(is_slow_on_sqlite(&plan_of_sqlite(&conn, bad)), "a bad plan is seen: {bad}");
    }
    let mut slow = Vec::new();
    let pages = pages();
    for (name, sql) in &pages {
        let plan = plan_of_sqlite(&conn, sql.sqlite);
        if is_slow_on_sqlite(&plan) {
            slow.push(format!("{name}: {plan}"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
    assert!(pages.len() > 40, "{}", pages.len());
}

#[tokio::test]
async fn a_filtered_list_is_counted_by_its_index_alone_on_sqlite() {
    let (_database, conn) = sqlite().await;
    let mut rows_read = Vec::new();
    for (name, sql) in counts() {
        let plan = plan_of_sqlite(&conn, sql.sqlite);
        if !plan.contains("COVERING INDEX") {
            rows_read.push(format!("{name}: {plan}"));
        }
    }
    assert!(rows_read.is_empty(), "{rows_read:#?}");
}

/// With the plans that small tables invite switched off: what is left is what large ones get.
async fn plan_of_postgres(conn: &mut PgConnection, sql: &str) -> String {
    let run = async |conn: &mut PgConnection, sql: String| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone()))
            .fetch_all(conn)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    run(conn, format!("PREPARE list AS {sql}")).await;
    let types = "SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = 'list'";
    let types: Vec<String> = sqlx::query(types).fetch_one(&mut *conn).await.expect("its types").get("types");
    let value = |kind: &String| match kind.as_str() {
        "uuid" => "'00000000-0000-0000-0000-000000000001'",
        "text" => "'x'",
        "boolean" => "true",
        _ => "1500",
    };
    let values: Vec<&str> = types.iter().map(value).collect();
    let rows = run(conn, format!("EXPLAIN EXECUTE list({})", values.join(", "))).await;
    run(conn, "DEALLOCATE list".into()).await;
    rows.iter().map(|row| row.get::<String, _>(0) + "\n").collect()
}

fn is_slow_on_postgres(plan: &str) -> bool {
    plan.contains("Seq Scan") || plan.contains("Sort")
}

async fn postgres() -> Option<(TestDatabase, PgConnection)> {
    if !crate::schema::postgres_is_here() {
        return None;
    }
    let database = TestDatabase::postgres().await;
    let DatabaseUrl::Postgres(url) = &database.url else { panic!("not PostgreSQL") };
    let mut conn = PgConnection::connect(url).await.expect("a connection");
    for plans in ["seqscan", "sort", "bitmapscan", "incremental_sort"] {
        let off = format!("SET enable_{plans} = off");
        sqlx::raw_sql(sqlx::AssertSqlSafe(off)).execute(&mut conn).await.expect("a setting");
    }
    Some((database, conn))
}

#[tokio::test]
async fn every_list_is_read_in_the_order_of_an_index_on_postgresql() {
    let Some((_database, mut conn)) = postgres().await else { return };
    let by_name = "SELECT id FROM customers WHERE project_id = $1 ORDER BY name LIMIT $2 OFFSET $3";
    for bad in [by_name, "SELECT metadata FROM customers WHERE metadata = $1 LIMIT $2 OFFSET $3"] {
        assert!(is_slow_on_postgres(&plan_of_postgres(&mut conn, bad).await), "a bad plan is seen: {bad}");
    }
    let mut slow = Vec::new();
    for (name, sql) in pages() {
        let plan = plan_of_postgres(&mut conn, sql.postgres).await;
        if is_slow_on_postgres(&plan) {
            slow.push(format!("{name}: {plan}"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[tokio::test]
async fn a_filtered_list_is_counted_by_its_index_alone_on_postgresql() {
    let Some((_database, mut conn)) = postgres().await else { return };
    // Of empty tables all indexes cost the same.
    for sql in FILL {
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let mut rows_read = Vec::new();
    for (name, sql) in counts() {
        let plan = plan_of_postgres(&mut conn, sql.postgres).await;
        if !plan.contains("Index Only Scan") {
            rows_read.push(format!("{name}: {plan}"));
        }
    }
    assert!(rows_read.is_empty(), "{rows_read:#?}");
}

/// Three thousand of each, in one project.
const FILL: [&str; 8] = [
    "CREATE FUNCTION id(n BIGINT) RETURNS UUID LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$",
    "INSERT INTO projects VALUES (id(1), 'Acme', 0, 0)",
    "INSERT INTO customers SELECT id(1), id(n), 'x', 'x', n::text, '{}', n, n FROM generate_series(1, 3000) n",
    "INSERT INTO contacts SELECT id(1), id(n), id(n), 'x', 'x', n::text, NULL, '{}', n, n FROM generate_series(1, 3000) n",
    "INSERT INTO conversations (project_id, id, phone_number_id, contact_id, phone_number, status, next_seq, next_out_seq, \
     lease_until, epoch, lane, last_active_at, created_at, updated_at) \
     SELECT id(1), id(n), '1', id(n), n::text, 'of ' || n % 50, 1, 0, 0, 0, 0, n, n, n FROM generate_series(1, 3000) n",
    "INSERT INTO messages (project_id, conversation_id, seq, id, direction, kind, content, status, status_rank, created_at, updated_at) \
     SELECT id(1), id(n % 50), n, id(n), 'inbound', 'text', 'x', 'received', 0, n, n FROM generate_series(1, 3000) n",
    "INSERT INTO agent_snapshots SELECT id(1), id(n), id(n), ''::bytea, '{}', n FROM generate_series(1, 3) n; \
     INSERT INTO executions (project_id, id, agent_id, snapshot_id, conversation_id, phone_number, status, node, state, state_format, \
     step_no, started_at, created_at, updated_at) SELECT id(1), id(n), id(1 + n % 3), id(1 + n % 3), id(n), n::text, 'of ' || n % 50, 'x', \
     '', 0, 0, n, n, n FROM generate_series(1, 3000) n; \
     INSERT INTO whatsapp_configs (project_id, id, customer_id, name, name_search, phone_number_id, waba_id, webhook_verify_token, kind, \
     inbound_processing_enabled, calls_enabled, created_at, updated_at) SELECT id(1), id(n), id(n), 'x', 'x', n::text, n::text, 'x', \
     'production', 1, 0, n, n FROM generate_series(1, 3000) n",
    "VACUUM ANALYZE",
];

#[test]
fn every_exception_is_still_one_that_is_asked_for() {
    let all = narrowings_of(|(_, name), _| ["COUNT", "LIST"].contains(&name));
    for (name, _) in BEYOND_AN_INDEX.iter().chain(&ORDERED_WHEN_READ) {
        assert!(all.iter().any(|(way, _)| way == name), "{name} is gone");
    }
}
