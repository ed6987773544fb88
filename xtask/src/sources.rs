//! Rules about the text of the sources that a compiler cannot check.
//!
//! Plain text search, line by line, with comments left out. It finds honest mistakes; it can be
//! fooled.

use std::path::Path;

use anyhow::Result;

use crate::files::with_extensions;

const LONGEST_FILE: usize = 450;

/// Files that may read settings and clocks; all others take them as arguments.
const EDGES: [&str; 12] = [
    "crates/cli/",
    "crates/emulator/src/clock.rs",
    "crates/runtime/src/clock.rs",
    "crates/runtime/src/context.rs",
    // Test builds only: a failpoint is reached from places that hold no settings.
    "crates/runtime/src/failpoint.rs",
    // Cargo passes folders to a build script in variables.
    "crates/server/build.rs",
    "crates/server/src/config.rs",
    "crates/server/src/config/",
    "crates/server/src/telemetry.rs",
    // The lease clock is the database's, and SQLite is inside this process.
    "crates/store/src/db/sqlite.rs",
    "crates/testkit/",
    "xtask/",
];
const READS_SETTINGS: [&str; 1] = ["env::var"];
const READS_CLOCKS: [&str; 5] = ["SystemTime::now", "Timestamp::now", "Utc::now", "Zoned::now", "Uuid::now_v7"];
const WAITS: [&str; 3] = ["async fn", "async move", ".await"];

/// One SQL text for both databases, no engine features in the correctness path. Functions are found
/// in any case; keywords, in Rust, only as we write SQL: in capitals.
const SQL_FUNCTIONS: [&str; 5] =
    ["now()", "gen_random_uuid()", "pg_advisory_*", "pg_try_advisory_*", "clock_timestamp()"];
const SQL_KEYWORDS: [&str; 7] =
    ["CURRENT_TIMESTAMP", "SKIP LOCKED", "LISTEN", "NOTIFY", "SERIAL", "BIGSERIAL", "SMALLSERIAL"];

/// Of all Rust and SQL files.
pub fn problems(root: &Path) -> Result<Vec<String>> {
    let files = with_extensions(root, &["rs", "sql"])?;
    Ok(files.iter().flat_map(|file| problems_of(&file.path, &file.text)).collect())
}

/// `path` counts from the root of the workspace.
fn problems_of(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if path.ends_with(".rs") && lines > LONGEST_FILE {
        problems.push(format!("{path} has {lines} lines: split it by subject, at most {LONGEST_FILE}"));
    }
    if path.contains("/src/") && path.ends_with(".rs") && !is_test(path) && !text.starts_with("//!") {
        problems.push(format!("{path} does not open with a `//!` line that says why the module exists"));
    }
    for (number, line) in text.lines().enumerate() {
        let code = without_comment(path, line);
        for (what, why) in edge_problems(path, code).into_iter().chain(sql_problems(path, code)) {
            problems.push(format!("{path}:{}: `{what}`: {why}", number + 1));
        }
    }
    problems
}

fn edge_problems(path: &str, code: &str) -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    if path.ends_with(".rs") && !is_test(path) && !EDGES.iter().any(|edge| path.starts_with(edge)) {
        let settings = READS_SETTINGS.into_iter().filter(|what| code.contains(what));
        found.extend(settings.map(|what| (what, "settings are read in server::config and passed as arguments")));
        let clocks = READS_CLOCKS.into_iter().filter(|what| code.contains(what));
        found.extend(clocks.map(|what| (what, "time is an argument; see runtime::context")));
    }
    if path.starts_with("crates/engine/src/") {
        let waits = WAITS.into_iter().filter(|what| has_word(code, what));
        found.extend(waits.map(|what| (what, "nothing in engine is async; ask for an effect")));
    }
    found
}

fn sql_problems(path: &str, code: &str) -> Vec<(&'static str, &'static str)> {
    let is_sql = path.starts_with("crates/store/migrations/");
    if !is_sql && !path.starts_with("crates/store/src/") {
        return Vec::new();
    }
    let has_lease_clock = path == "crates/store/src/db.rs" || path.starts_with("crates/store/src/db/");
    let lower = code.to_lowercase();
    let mut found = Vec::new();
    for what in SQL_FUNCTIONS {
        let allowed = what == "clock_timestamp()" && has_lease_clock;
        // `Instant::now()` and `clock.now()` are Rust.
        let rust = !is_sql && what == "now()";
        let text = if rust { lower.replace(".now()", "").replace("::now()", "") } else { lower.clone() };
        if !allowed && has_word(&text, what) {
            found.push((what, "no engine features in SQL: bind the value from Rust"));
        }
    }
    let text = if is_sql { code.to_uppercase() } else { code.into() };
    let keywords = SQL_KEYWORDS.into_iter().filter(|what| has_word(&text, what));
    found.extend(keywords.map(|what| (what, "no engine features in SQL: both databases run the same text")));
    found
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// A comment starts a line or follows a space, so the slashes of a URL start none.
fn without_comment<'a>(path: &str, line: &'a str) -> &'a str {
    let mark = if path.ends_with(".sql") { "--" } else { "//" };
    for (at, _) in line.match_indices(mark) {
        if line[..at].chars().next_back().is_none_or(char::is_whitespace) {
            return &line[..at];
        }
    }
    line
}

/// True if `word` stands in `text` and is not part of a longer name. A `*` at its end stands for
/// any ending.
fn has_word(text: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let (word, any_ending) = word.strip_suffix('*').map_or((word, false), |word| (word, true));
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(is_name) && word.starts_with(is_name);
        let after = text[at + word.len()..].chars().next().is_some_and(is_name) && word.ends_with(is_name);
        !before && (any_ending || !after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the opening line that every module needs, on the first line of the text.
    fn found(path: &str, text: &str) -> Vec<String> {
        let opening = if path.ends_with(".rs") { "//! " } else { "" };
        let text =
            if text.starts_with("//!") || opening.is_empty() { text.to_owned() } else { format!("{opening}\n{text}") };
        problems_of(path, &text)
    }

    #[track_caller]
    fn caught(path: &str, text: &str, what: &str) {
        let problems = found(path, text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(path) && problems[0].contains(what), "{problems:?}");
    }

    #[track_caller]
    fn fine(path: &str, text: &str) {
        assert_eq!(found(path, text), [""; 0]);
    }

    #[test]
    fn long_files_are_caught() {
        fine("crates/domain/src/a.rs", &"//!\n".repeat(LONGEST_FILE));
        caught("crates/domain/src/a.rs", &"//!\n".repeat(LONGEST_FILE + 1), "split it by subject");
        fine("crates/domain/tests/it/a.rs", &"//!\n".repeat(LONGEST_FILE));
        caught("crates/domain/tests/it/a.rs", &"//!\n".repeat(LONGEST_FILE + 1), "split it by subject");
    }

    #[test]
    fn modules_open_with_their_purpose() {
        assert_eq!(problems_of("crates/domain/src/a.rs", "use std::fmt;").len(), 1);
        for test in ["crates/domain/src/a/tests.rs", "crates/domain/tests/it/a.rs"] {
            assert_eq!(problems_of(test, "use std::fmt;"), [""; 0]);
        }
    }

    #[test]
    fn settings_are_read_at_the_edges() {
        for path in ["crates/server/src/config.rs", "crates/server/src/config/llm.rs", "crates/cli/src/main.rs"] {
            fine(path, "let home = std::env::var(\"HOME\");");
        }
        fine("crates/gateways/tests/it/main.rs", "let url = std::env::var(\"URL\");");
        caught("crates/gateways/src/llm/openai.rs", "let key = std::env::var(\"KEY\");", ":2: `env::var`");
        caught("crates/server/src/router.rs", "\nenv::var_os(\"KEY\")", ":3: `env::var`");
    }

    #[test]
    fn clocks_are_read_at_the_edges() {
        for path in ["crates/runtime/src/context.rs", "crates/emulator/src/clock.rs", "crates/testkit/src/lib.rs"] {
            fine(path, "let now = SystemTime::now();");
        }
        for clock in READS_CLOCKS {
            caught("crates/domain/src/time.rs", &format!("let now = {clock}();"), clock);
        }
        caught("crates/emulator/src/world.rs", "let now = jiff::Timestamp::now();", "Timestamp::now");
        fine("crates/server/src/live.rs", "let started = Instant::now(); // not Timestamp::now()");
    }

    #[test]
    fn nothing_waits_in_engine() {
        caught("crates/engine/src/advance.rs", "pub async fn advance() {}", "async fn");
        caught("crates/engine/src/nodes/agent.rs", "    let text = model.ask()\n        .await;", ":3: `.await`");
        fine(
            "crates/engine/src/advance.rs",
            "//! There is no `async fn` and no `.await` here.\nlet x = queue.awaiting;",
        );
        fine("crates/runtime/src/turn/mod.rs", "pub async fn step() { work().await }");
    }

    #[test]
    fn engine_features_are_caught_in_statements() {
        let path = "crates/store/src/jobs.rs";
        for what in SQL_FUNCTIONS {
            let text = what.replace("_*", "_lock($1)");
            caught(path, &format!("const Q: &str = \"SELECT {text}\";"), what);
        }
        for what in SQL_KEYWORDS {
            caught(path, &format!("const Q: &str = \"SELECT 1 FOR UPDATE {what}\";"), what);
        }
        caught(path, "const Q: &str = \"SELECT NOW()\";", "now()");
        fine(path, "let at = clock.now(); let started = Instant::now();");
        fine(path, "use tokio::sync::Notify; // LISTEN, NOTIFY and SERIAL are PostgreSQL's");
        fine(path, "const ISOLATION: &str = \"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE\";");
        fine("crates/runtime/src/workers.rs", "fn now() {}");
    }

    #[test]
    fn engine_features_are_caught_in_migrations() {
        let path = "crates/store/migrations/postgres/0001_start.sql";
        caught(path, "CREATE TABLE a (id bigserial);", "BIGSERIAL");
        caught(path, "CREATE TABLE a (at BIGINT DEFAULT now());", "now()");
        caught(path, "notify a;", "NOTIFY");
        fine(path, "-- no now() here\nCREATE TABLE a (notify_at BIGINT, serial_number TEXT);");
    }

    #[test]
    fn only_the_database_file_reads_the_lease_clock() {
        let text = "const LEASE_CLOCK: &str = \"SELECT clock_timestamp()\";";
        fine("crates/store/src/db.rs", text);
        fine("crates/store/src/db/postgres.rs", text);
        caught("crates/store/src/outbox.rs", text, "clock_timestamp()");
        caught("crates/store/src/db.rs", "const Q: &str = \"SELECT now()\";", "now()");
    }
}
