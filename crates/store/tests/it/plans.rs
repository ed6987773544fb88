//! Query plans of lists: every page is read in the order of an index, however the list is filtered,
//! so that it costs the same in a project of any size.

use rusqlite::Connection;
use sqlx::{Connection as _, PgConnection, Row as _};
use store::{DatabaseUrl, Sql, Variant};
use testkit::database::TestDatabase;

/// A statement in each engine's words, by name.
type Named = (String, String, String);

/// Pages of all lists, in all variants.
fn pages() -> Vec<Named> {
    let mut pages: Vec<Named> = variants(|file, v| (format!("{file} {}", v.filters), v.page));
    pages.extend(statements(|_, sql| sql.sqlite.contains(" OFFSET $")));
    pages.retain(|(name, ..)| !ORDERED_WHEN_READ.iter().any(|(exception, _)| name == exception));
    pages
}

/// Pages that are sorted when they are read, and why.
const ORDERED_WHEN_READ: [(&str, &str); 1] = [("conversations phone_number = ?", "one person has few conversations")];

/// Counts of filtered lists. The length of a whole list comes from its counter.
fn counts() -> Vec<Named> {
    let mut counts: Vec<Named> = variants(|file, v| (format!("{file} {}", v.filters), v.count));
    counts.retain(|(name, ..)| !name.ends_with("no filter") && !name.starts_with("whatsapp_templates"));
    counts.extend(statements(|name, _| name == "messages::COUNT"));
    counts.retain(|(name, ..)| !BEYOND_AN_INDEX.iter().any(|(exception, _)| name == exception));
    counts
}

/// Counts that read rows as well, and why.
const BEYOND_AN_INDEX: [(&str, &str); 16] = [
    ("audit all filters", "one index is taken, the rest is read"),
    ("contacts name_search LIKE ? ESCAPE '\\'", "a text inside the name is in no order"),
    ("contacts wa_id LIKE ? ESCAPE '\\'", "digits inside the number are in no order"),
    (
        "contacts customer_id IN (SELECT id FROM customers WHERE project_id = $1 AND external_customer_id = ?)",
        "the customer is looked up by its external id first",
    ),
    ("contacts (customer_id IS NULL) = ?", "no index that has the customer is in the order of time"),
    ("contacts (customer_id IS NOT NULL) = ?", "the same"),
    ("contacts all filters", "one index is taken, the rest is read"),
    ("conversations all filters", "the same"),
    ("customers name_search LIKE ? ESCAPE '\\'", "a text inside the name is in no order"),
    ("customers external_customer_id = ?", "one row at most"),
    ("customers all filters", "one row at most"),
    ("executions ended_at >= ?", "executions are in the order of their start, not of their end"),
    ("executions ended_at <= ?", "the same"),
    ("executions all filters", "one index is taken, the rest is read"),
    ("whatsapp_configs name_search LIKE ? ESCAPE '\\'", "a text inside the name is in no order"),
    ("whatsapp_configs all filters", "one index is taken, the rest is read"),
];

fn variants(of: impl Fn(&str, Variant) -> (String, String)) -> Vec<Named> {
    let all = store::lists().into_iter().flat_map(|(file, variants)| variants.into_iter().map(move |v| (file, v)));
    all.map(|(file, variant)| of(file, variant)).map(|(name, sql)| (name, sql.clone(), sql)).collect()
}

fn statements(wanted: impl Fn(&str, &Sql) -> bool) -> Vec<Named> {
    let all = store::statements().into_iter().map(|(file, name, sql)| (format!("{file}::{name}"), sql));
    all.filter(|(name, sql)| wanted(name, sql))
        .map(|(name, sql)| (name, sql.sqlite.to_owned(), sql.postgres.to_owned()))
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
async fn every_list_is_read_in_index_order_on_sqlite() {
    let (_database, conn) = sqlite().await;
    let by_name = "SELECT id FROM customers WHERE project_id = $1 ORDER BY name LIMIT $2 OFFSET $3";
    for bad in [by_name, "SELECT id FROM customers ORDER BY id LIMIT $1 OFFSET $2"] {
        assert!(is_slow_on_sqlite(&plan_of_sqlite(&conn, bad)), "a bad plan is detected: {bad}");
    }
    let mut slow = Vec::new();
    let pages = pages();
    for (name, sql, _) in &pages {
        let plan = plan_of_sqlite(&conn, sql);
        if is_slow_on_sqlite(&plan) {
            slow.push(format!("{name}: {plan}"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
    assert!(pages.len() > 40, "{}", pages.len());
}

#[tokio::test]
async fn filtered_lists_are_counted_by_index_only_on_sqlite() {
    let (_database, conn) = sqlite().await;
    let mut rows_read = Vec::new();
    for (name, sql, _) in counts() {
        let plan = plan_of_sqlite(&conn, &sql);
        if !plan.contains("COVERING INDEX") {
            rows_read.push(format!("{name}: {plan}"));
        }
    }
    assert!(rows_read.is_empty(), "{rows_read:#?}");
}

async fn plan_of_postgres(conn: &mut PgConnection, sql: &str) -> String {
    plan_with_text(conn, sql, "'x'").await
}

/// With the plans switched off that only small tables get. An empty text is a filter that is not set.
async fn plan_with_text(conn: &mut PgConnection, sql: &str, text: &'static str) -> String {
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
        "text" => text,
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
async fn every_list_is_read_in_index_order_on_postgresql() {
    let Some((_database, mut conn)) = postgres().await else { return };
    let by_name = "SELECT id FROM customers WHERE project_id = $1 ORDER BY name LIMIT $2 OFFSET $3";
    for bad in [by_name, "SELECT metadata FROM customers WHERE metadata = $1 LIMIT $2 OFFSET $3"] {
        assert!(is_slow_on_postgres(&plan_of_postgres(&mut conn, bad).await), "a bad plan is detected: {bad}");
    }
    let mut slow = Vec::new();
    for (name, _, sql) in pages() {
        let plan = plan_of_postgres(&mut conn, &sql).await;
        if is_slow_on_postgres(&plan) {
            slow.push(format!("{name}: {plan}"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[tokio::test]
async fn filtered_lists_are_counted_by_index_only_on_postgresql() {
    let Some((_database, mut conn)) = postgres().await else { return };
    // In empty tables all indexes cost the same.
    for sql in FILL {
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let mut rows_read = Vec::new();
    for (name, _, sql) in counts() {
        let plan = plan_of_postgres(&mut conn, &sql).await;
        if !plan.contains("Index Only Scan") {
            rows_read.push(format!("{name}: {plan}"));
        }
    }
    assert!(rows_read.is_empty(), "{rows_read:#?}");
}

/// Views of the inbox and the index that each is read by: only conversations of the view are read, or
/// for the agent's those of the few that wait for a person as well.
const VIEWS: [(&str, &str); 4] = [
    ("ALL", "conversations_inbox"),
    ("MINE", "conversations_of_person"),
    ("NEEDS_PERSON", "executions_for_persons"),
    ("AGENT", "conversations_of_status"),
];

/// Statements of the views with the index of each; the count of all has the index of open ones.
fn views() -> Vec<(Named, &'static str)> {
    let found = statements(|name, _| name.starts_with("inbox::LIST_") || name.starts_with("inbox::COUNT_"));
    let index = |name: &str| match name {
        "inbox::COUNT_ALL" => "conversations_of_status",
        _ => VIEWS.iter().find(|(view, _)| name.ends_with(&format!("_{view}"))).expect("a view").1,
    };
    let views: Vec<_> =
        found.into_iter().map(|named| (index(&named.0), named)).map(|(index, named)| (named, index)).collect();
    assert_eq!(views.len(), 2 * VIEWS.len());
    views
}

#[tokio::test]
async fn views_of_the_inbox_are_read_by_their_index_on_sqlite() {
    let (_database, conn) = sqlite().await;
    for ((name, sql, _), index) in views() {
        let plan = plan_of_sqlite(&conn, &sql);
        assert!(plan.contains(&format!("INDEX {index} (project_id=?")), "{name}: {plan}");
        assert!(!plan.contains("SCAN conversations") && !plan.contains("SCAN executions"), "{name}: {plan}");
    }
}

#[tokio::test]
async fn views_of_the_inbox_are_read_by_their_index_on_postgresql() {
    let Some((_database, mut conn)) = postgres().await else { return };
    for sql in FILL.iter().chain(&OF_PEOPLE) {
        sqlx::raw_sql(*sql).execute(&mut conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    // The few conversations that wait are sorted, and a join by hash is only for many rows.
    let settings = "SET enable_sort = on; SET enable_hashjoin = off; SET enable_mergejoin = off";
    sqlx::raw_sql(settings).execute(&mut conn).await.expect("settings");
    for ((name, _, sql), index) in views() {
        // The agent's are those without a row of this index, by whichever index is in their order.
        let index = if name.ends_with("_AGENT") { "executions_for_persons" } else { index };
        let plan = plan_with_text(&mut conn, &sql, "''").await;
        assert!(plan.contains(&format!(" {index} on ")), "{name}: {plan}");
        assert!(
            !plan.contains("Seq Scan on conversations") && !plan.contains("Seq Scan on executions"),
            "{name}: {plan}"
        );
    }
}

/// Open conversations of the agent and a few of persons.
const OF_PEOPLE: [&str; 3] = [
    "UPDATE conversations SET status = 'active', agent_id = id(1), execution_id = id, \
     assignee_id = CASE WHEN created_at % 500 = 1 THEN id(1) END",
    "UPDATE executions SET status = CASE WHEN created_at % 500 = 2 THEN 'handoff' ELSE 'paused' END",
    "VACUUM ANALYZE",
];

/// Three thousand rows of each table, in one project.
const FILL: [&str; 9] = [
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
    "INSERT INTO audit SELECT id(1), id(n), n, 'of ' || n % 50, 'of ' || n % 50, 'x', 'x' FROM generate_series(1, 3000) n",
    "VACUUM ANALYZE",
];

#[test]
fn every_exception_names_an_existing_list() {
    let all = variants(|file, variant| (format!("{file} {}", variant.filters), variant.page));
    for (name, _) in BEYOND_AN_INDEX.iter().chain(&ORDERED_WHEN_READ) {
        assert!(all.iter().any(|(list, ..)| list == name), "{name} is gone");
    }
}
