//! The conformance scenarios of docs/spec/engine.md 9 as data. Each file is one row of its table,
//! played with the real application, the emulator and a scripted model.
//!
//! `expect` is the row's event list in order. The snapshot next to the file holds every stored
//! event. `INSTA_UPDATE=always` rewrites the snapshots; review the difference.

mod crowd;
mod dialects;
mod events;
mod file;
mod play;
mod script;

use std::{collections::BTreeSet, fs, path::Path};

/// Rows that are covered elsewhere or not yet, with the reason.
const NOT_HERE: &[(&str, &str)] = &[
    ("s37", "test mode: test_chats.rs"),
    ("s38", "test cases: test_runs.rs"),
    ("s39", "test cases: test_runs.rs"),
    ("s40", "test cases: test_runs.rs"),
];

macro_rules! scenarios {
    ($($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                play::play(stringify!($name), include_str!(concat!(stringify!($name), ".toml"))).await;
            }
        )*

        /// Files by name.
        const TEXTS: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!(stringify!($name), ".toml")))),*];

        const PLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    s01 s02 s03 s04 s05 s06 s07 s08 s09 s10 s11 s12 s13 s14 s15 s16 s17 s18 s19 s20 s21 s22 s23 s24 s25 s26 s27 s28 s29 s30 s31 s32 s33 s34 s35 s36
}

#[test]
fn every_scenario_of_the_spec_is_played_or_excused() {
    let rows: BTreeSet<String> = (1..=40).map(|number| format!("s{number:02}")).collect();
    let here: BTreeSet<String> = PLAYED.iter().map(|name| (*name).to_owned()).collect();
    let elsewhere: BTreeSet<String> = NOT_HERE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert!(here.is_disjoint(&elsewhere));
    assert_eq!(here.union(&elsewhere).cloned().collect::<BTreeSet<_>>(), rows);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scenarios");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.filter_map(|name| Some(name.strip_suffix(".toml")?.to_owned())).collect();
    assert_eq!(files, here, "a scenario file is not played");
}
