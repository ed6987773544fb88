//! The corpus: the most expensive inputs that were found, each with its bound. A file holds a recipe,
//! because the input itself may have a megabyte.

use crate::{
    kinds::KINDS,
    measure::{Cost, Kind},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// An input may cost a quarter more than it did: versions of libraries differ.
const SLACK: (u64, u64) = (5, 4);

pub struct Kept {
    pub file: PathBuf,
    pub kind: &'static Kind,
    pub recipe: Value,
    /// Most that it may cost.
    pub bound: Cost,
}

pub fn read(folder: &Path) -> Vec<Kept> {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    files.sort();
    files.into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "json")).map(one).collect()
}

fn one(file: PathBuf) -> Kept {
    let damaged = || panic!("{} is no entry of the corpus", file.display());
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let entry: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let kind = KINDS.into_iter().find(|kind| entry["kind"] == kind.name).unwrap_or_else(damaged);
    let number = |name: &str| entry["bound"][name].as_u64().unwrap_or_else(|| panic!("{}: {name}", file.display()));
    let bytes = entry["measured"]["bytes"].as_u64().unwrap_or_default();
    let bound = Cost { bytes, work: number("work"), peak: number("peak") };
    Kept { kind, recipe: entry["recipe"].clone(), bound, file }
}

/// Replaces the files of the corpus.
pub fn write(folder: &Path, worst: &[(&'static Kind, Value, Cost)]) {
    let written = |error| panic!("{}: {error}", folder.display());
    fs::create_dir_all(folder).unwrap_or_else(written);
    for old in read(folder) {
        fs::remove_file(&old.file).unwrap_or_else(written);
    }
    for kind in KINDS {
        let of_kind = worst.iter().filter(|(other, ..)| other.name == kind.name);
        for (place, (_, recipe, cost)) in of_kind.enumerate() {
            let text = json!({"kind": kind.name, "measured": figures(*cost), "bound": figures(allowed(kind, *cost)), "recipe": recipe});
            let file = folder.join(format!("{}-{place:02}.json", kind.name));
            fs::write(file, format!("{text:#}\n")).unwrap_or_else(written);
        }
    }
}

/// A quarter more than measured, and never more than the kind's bound.
fn allowed(kind: &Kind, cost: Cost) -> Cost {
    let most = kind.bound.of(cost.bytes);
    let with_slack = |figure: u64, most: u64| (figure * SLACK.0).div_ceil(SLACK.1).min(most);
    Cost { bytes: cost.bytes, work: with_slack(cost.work, most.work), peak: with_slack(cost.peak, most.peak) }
}

pub fn figures(cost: Cost) -> Value {
    json!({"bytes": cost.bytes, "work": cost.work, "peak": cost.peak})
}
