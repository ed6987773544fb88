//! `cargo xtask imports`: imports between the files of a crate: no circles, and a declared order of
//! modules.
//!
//! Files that import each other can only be read and changed together. An import of a re-exported
//! name counts as an import of the file that defines it. A file that only declares modules and
//! re-exports their names imports nothing. Code that is compiled for tests alone is left out.

mod collect;
mod graph;
mod order;
mod parse;
mod resolve;
mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::process::root;
use crate::usage::USAGE;
use graph::{Import, Imports};
use tree::Tree;

/// `cargo xtask imports [CRATE]`: figures, circles with all their imports, and a possible order,
/// without failing.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let wanted = match args {
        [] => None,
        [one] if !one.starts_with('-') => Some(one),
        _ => bail!("`imports` takes the folder name of a crate, or nothing\n\n{USAGE}"),
    };
    for report in reports(root())?.into_iter().filter(|report| wanted.is_none_or(|it| *it == report.name)) {
        report.print();
        for circle in &report.circles {
            println!("{circle}");
        }
        if let Some(order) = &report.possible_order {
            println!("  a possible order: {}", order.join(", "));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the number of files in circles per crate. Fails on circles and on imports against the
/// declared order.
pub fn check(root: &Path) -> Result<()> {
    let mut problems = Vec::new();
    for report in reports(root)? {
        report.print();
        problems.extend(report.circles);
        problems.extend(report.against_order);
    }
    if !problems.is_empty() {
        bail!("{} problem(s)\n{}", problems.len(), problems.join("\n"));
    }
    Ok(())
}

struct Report {
    name: String,
    files: usize,
    in_circles: usize,
    circles: Vec<String>,
    against_order: Vec<String>,
    /// Of the top modules, if there are no circles among them.
    possible_order: Option<Vec<String>>,
}

impl Report {
    fn print(&self) {
        println!("{:<12}{:>4} files, {} in import circles", self.name, self.files, self.in_circles);
    }
}

fn reports(root: &Path) -> Result<Vec<Report>> {
    let mut crates = vec![("xtask".to_owned(), root.join("xtask"))];
    for entry in fs::read_dir(root.join("crates")).context("cannot list crates")? {
        let entry = entry?;
        crates.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    crates.sort();
    crates.into_iter().map(|(name, folder)| report(root, name, &folder)).collect()
}

/// A library and each binary have a module tree of their own.
fn report(root: &Path, name: String, folder: &Path) -> Result<Report> {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let mut report =
        Report { name, files: 0, in_circles: 0, circles: Vec::new(), against_order: Vec::new(), possible_order: None };
    for entry in parse::entry_points(&folder.join("src")) {
        let entry = entry.strip_prefix(root).unwrap_or(&entry).to_string_lossy().into_owned();
        let tree = parse::parse(&entry, &read)?;
        let imports = resolve::imports(&tree);
        let components = graph::circles(tree.files.len(), &imports);
        report.files += tree.files.len();
        report.in_circles += components.iter().map(BTreeSet::len).sum::<usize>();
        report.circles.extend(components.iter().map(|component| describe(&tree, &imports, component)));
        report.against_order.extend(order::problems(&report.name, &tree, &imports));
        if entry.ends_with("src/lib.rs") {
            report.possible_order = order::possible(&tree, &imports);
        }
    }
    Ok(report)
}

/// The shortest circle of a component, a line for each import, and the size of the component.
fn describe(tree: &Tree, imports: &Imports, component: &BTreeSet<usize>) -> String {
    let circle = graph::shortest_circle(component, imports);
    let mut text = format!("  {} files import each other; the shortest circle:", component.len());
    for (at, from) in circle.iter().enumerate() {
        let to = &circle[(at + 1) % circle.len()];
        let Import { line, path } = &imports[&(*from, *to)];
        text.push_str(&format!("\n    {}:{line} imports {path} from {}", tree.files[*from], tree.files[*to]));
    }
    if component.len() > circle.len() {
        text.push_str("\n    all imports between them:");
        for ((from, to), Import { line, path }) in imports {
            if component.contains(from) && component.contains(to) {
                text.push_str(&format!("\n    {}:{line} {path} ({})", tree.files[*from], tree.files[*to]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
