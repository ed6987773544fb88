//! The scenarios against every dialect of model servers (`testkit::dialects`), and docs/models.md.
//!
//! Each dialect plays a part of the scenarios, another one each; `DIALECTS=all` plays them all.

use super::{
    TEXTS,
    play::{self, Answers},
};
use futures::{FutureExt as _, StreamExt as _, stream};
use std::{collections::BTreeMap, fmt::Write as _, fs, panic::AssertUnwindSafe, path::Path};
use testkit::dialects::{DIALECTS, Dialect};

/// Scenarios that ask no model of the dialect, with the reason.
const NOT_PLAYED: &[(&str, &str)] = &[("s35", "many projects at once, with a responder of their own")];
/// Scenarios of each dialect where not all are played.
const PART: usize = 2;
/// Played by every dialect: routing with step prompts, and calls after a call that waits.
const ALWAYS: [&str; 2] = ["s03", "s09"];

/// Played also against servers that answer as a whole where a stream is asked for.
const WHOLE: &str = "s09";

fn scenarios() -> impl Iterator<Item = (usize, &'static (&'static str, &'static str))> {
    let left_out = |name: &str| NOT_PLAYED.iter().any(|(other, _)| other == &name);
    TEXTS.iter().filter(move |(name, _)| !left_out(name)).enumerate()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_dialect_takes_the_history_of_its_scenarios() {
    let all = std::env::var("DIALECTS").is_ok_and(|value| value == "all");
    let mut cells: Vec<(&'static Dialect, &'static str, &'static str, Answers)> = Vec::new();
    for (row, dialect) in DIALECTS.iter().enumerate() {
        for (place, (name, text)) in scenarios() {
            // Neighbouring dialects play other scenarios.
            let own = (place + row).is_multiple_of(TEXTS.len() / PART);
            if all || own || ALWAYS.contains(name) {
                cells.push((dialect, *name, *text, Answers::Streamed));
            }
            if *name == WHOLE {
                cells.push((dialect, *name, *text, Answers::Whole));
            }
        }
    }
    let played = stream::iter(cells).map(|(dialect, name, text, answers)| async move {
        let run = AssertUnwindSafe(play::play_with(name, text, Some((dialect, answers)))).catch_unwind().await;
        let name = if answers == Answers::Whole { format!("{name} (not streamed)") } else { name.to_owned() };
        (dialect.name, name, run.is_ok())
    });
    let played: Vec<_> = played.buffer_unordered(4).collect().await;
    let mut table: BTreeMap<&str, BTreeMap<String, bool>> = BTreeMap::new();
    for (dialect, name, passes) in &played {
        table.entry(*dialect).or_default().insert(name.clone(), *passes);
    }
    let mut failed = String::new();
    for (dialect, cells) in &table {
        let shown: Vec<String> =
            cells.iter().map(|(name, passes)| format!("{name} {}", if *passes { "passes" } else { "FAILS" })).collect();
        eprintln!("{dialect}: {}", shown.join(", "));
        for (name, _) in cells.iter().filter(|(_, passes)| !**passes) {
            let _ = writeln!(failed, "{dialect} {name}");
        }
    }
    assert!(failed.is_empty(), "{failed}");
    assert_eq!(table.len(), DIALECTS.len());
}

/// docs/models.md says what the table says. `UPDATE_MODELS=1` writes it.
#[test]
fn models_document_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/models.md");
    let text = document();
    if std::env::var_os("UPDATE_MODELS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "UPDATE_MODELS=1 writes docs/models.md");
}

fn document() -> String {
    let mut text = String::from(
        "# Models\n\nWritten by a test from the dialects in `crates/testkit/src/dialects`; do not edit. Each row is a strict server that \
         refuses what the real one refuses; public sources are named there. `DIALECTS=all cargo nextest run -p chasqui-server --test it \
         -E 'test(every_dialect)'` plays all scenarios against each. The second column is also the `kind` of a project's model \
         provider.\n\n\
         | Server | `CHASQUI_LLM_PROVIDER` | Model in the test | Scenarios | Refusals | Tools | Streaming | Images | Reasoning given back | Cache |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for dialect in DIALECTS {
        let kept = if dialect.abilities.reasoning_kept { "yes" } else { "no" };
        let _ = writeln!(
            text,
            "| {} | `{}` | `{}` | {} | {} | yes | {} | {} | {kept} | {} |",
            dialect.name,
            dialect.provider,
            dialect.model,
            scenarios().count(),
            dialect.rules.len(),
            dialect.abilities.streaming,
            dialect.abilities.images,
            dialect.abilities.cache,
        );
    }
    text.push_str("\nRefusals that each server makes:\n\n");
    for dialect in DIALECTS {
        let rules: Vec<String> = dialect.rules.iter().map(|rule| format!("`{}`", rule.name)).collect();
        let _ = writeln!(text, "- {}: {}", dialect.name, rules.join(", "));
    }
    text.push_str("\nNot played:\n\n");
    for (name, why) in NOT_PLAYED {
        let _ = writeln!(text, "- {name}: {why}");
    }
    text
}
