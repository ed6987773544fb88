//! References between documents, and from comments to documents: files, headings and section
//! numbers must exist.
//!
//! A comment names a section as `docs/spec/engine.md 5.2`. Links in documents are relative, as on
//! any Git host.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};

use crate::files::{TextFile, with_extensions};

/// Headings of one document.
#[derive(Default)]
struct Headings {
    /// As in links: `#two-words`.
    anchors: BTreeSet<String>,
    /// `5` and `5.2` of numbered headings.
    numbers: BTreeSet<String>,
}

/// A document named in a text, and the section numbers behind it.
#[derive(Debug, PartialEq, Eq)]
struct Reference<'a> {
    path: &'a str,
    numbers: Vec<&'a str>,
}

pub fn check(root: &Path) -> Result<()> {
    let problems = problems(root)?;
    if !problems.is_empty() {
        bail!("{} references do not resolve\n{}", problems.len(), problems.join("\n"));
    }
    Ok(())
}

fn problems(root: &Path) -> Result<Vec<String>> {
    let files = with_extensions(root, &["md", "rs", "sql", "toml", "py"])?;
    let mut known: BTreeMap<&str, Headings> = BTreeMap::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        known.insert(&file.path, headings(&file.text));
    }
    let mut problems = Vec::new();
    for file in &files {
        // What the model reads mentions files of the example, not ours.
        if file.path.contains("/prompts/") || file.path.starts_with("examples/") || file.path.starts_with("fixtures/") {
            continue;
        }
        for (number, line) in prose(file) {
            let found = problems_of(root, &file.path, line, &known);
            problems.extend(found.into_iter().map(|problem| format!("{}:{number}: {problem}", file.path)));
        }
    }
    Ok(problems)
}

/// Lines of a document outside code blocks, or the comments of a source, with their numbers.
fn prose(file: &TextFile) -> Vec<(usize, &str)> {
    let lines = file.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    match file.path.rsplit_once('.') {
        Some((_, "md")) => {
            let mut in_code = false;
            lines
                .filter(|(_, line)| {
                    let is_fence = line.trim_start().starts_with("```");
                    in_code ^= is_fence;
                    !is_fence && !in_code
                })
                .collect()
        }
        extension => {
            let mark = match extension {
                Some((_, "rs")) => "//",
                Some((_, "sql")) => "--",
                _ => "#",
            };
            lines.filter_map(|(number, line)| Some((number, comment(line, mark)?))).collect()
        }
    }
}

/// A comment starts a line or follows a space.
fn comment<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let starts = |at: usize| line[..at].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices(mark).map(|(at, _)| at).find(|at| starts(*at)).map(|at| &line[at..])
}

fn problems_of(root: &Path, path: &str, line: &str, known: &BTreeMap<&str, Headings>) -> Vec<String> {
    let mut problems = Vec::new();
    if path.ends_with(".md") {
        for link in links(line) {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = if target.is_empty() { path.to_owned() } else { join(folder(path), target) };
            if !root.join(&file).exists() {
                problems.push(format!("the link `{link}` leads to no file"));
            } else if let Some(headings) = known.get(file.as_str())
                && !anchor.is_empty()
                && !headings.anchors.contains(anchor)
            {
                problems.push(format!("the link `{link}` leads to no heading of {file}"));
            }
        }
    }
    for Reference { path: named, numbers } in references(line) {
        // From the root, else from the folder or the crate of the file.
        let krate = path.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
        let places = [named.to_owned(), join(folder(path), named), join(&krate, named)];
        let Some(file) = places.into_iter().find(|place| root.join(place).is_file()) else {
            problems.push(format!("`{named}` is not in the repository"));
            continue;
        };
        let Some(headings) = known.get(file.as_str()) else { continue };
        for number in numbers.iter().filter(|number| !headings.has(number)) {
            problems.push(format!("{file} has no section {number}"));
        }
    }
    problems
}

impl Headings {
    /// `4.1.7` is the seventh point of a list in 4.1.
    fn has(&self, number: &str) -> bool {
        let section = match number.match_indices('.').nth(1) {
            Some((at, _)) => &number[..at],
            None => number,
        };
        self.numbers.contains(number) || self.numbers.contains(section)
    }
}

fn headings(text: &str) -> Headings {
    let mut found = Headings::default();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if in_code || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let title = title.trim();
        let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
        found.anchors.insert(title.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-"));
        let first = title.split(' ').next().unwrap_or_default().trim_end_matches('.');
        if first.starts_with(|c: char| c.is_ascii_digit()) {
            found.numbers.insert(first.to_owned());
        }
    }
    found
}

/// Relative targets of `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, _)| {
        let target = line[at + 2..].split([')', ' ']).next()?;
        (!target.contains(':')).then_some(target)
    })
}

/// Every word that ends in `.md`, with the numbers behind it: `2`, `2.4 and 2.5`, `2.4, 3.1`. URLs
/// are left out, as are placeholders such as `NAME.md`.
fn references(line: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices(".md") {
        let after = &line[at + 3..];
        let in_path = |c: char| c.is_ascii_alphanumeric() || ['_', '-', '.', '/'].contains(&c);
        let start = line[..at].rfind(|c: char| !in_path(c)).map_or(0, |place| place + 1);
        let path = &line[start..at + 3];
        let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md");
        let is_placeholder = stem.is_empty() || stem == "NAME";
        let is_url = line[..start].ends_with(':') && path.starts_with("//");
        if after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') || is_placeholder || is_url {
            continue;
        }
        found.push(Reference { path, numbers: numbers(after.trim_start_matches('`')) });
    }
    found
}

fn numbers(mut text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let separators: [&[&str]; 2] = [&[" "], &[", ", " and ", " to "]];
    loop {
        let separators = separators[usize::from(!found.is_empty())];
        let Some(rest) = separators.iter().find_map(|separator| text.strip_prefix(separator)) else { return found };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = rest[..end].trim_end_matches('.');
        // Behind a comma a whole number counts something else.
        if number.is_empty() || (!found.is_empty() && !number.contains('.')) {
            return found;
        }
        found.push(number);
        text = &rest[number.len()..];
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Resolves `..` without asking the disk.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    #[test]
    fn references_of_this_repository_resolve() {
        check(root()).unwrap();
    }

    #[test]
    fn references_are_found_with_their_numbers() {
        let found = |line| references(line).into_iter().map(|it| (it.path, it.numbers)).collect::<Vec<_>>();
        assert_eq!(found("see docs/spec/engine.md 5.2)."), [("docs/spec/engine.md", vec!["5.2"])]);
        assert_eq!(found("`a/b.md` 2.4, 2.5 and 3.1, 7 of"), [("a/b.md", vec!["2.4", "2.5", "3.1"])]);
        assert_eq!(found("(a.md, 3) b.md 9."), [("a.md", vec![]), ("b.md", vec!["9"])]);
        assert_eq!(found("https://example.org/a.md NAME.md x.mdx"), []);
    }

    #[test]
    fn missing_files_headings_and_sections_are_problems() {
        let text = "# Title\n## 1. Two words\n### 1.2 C\n```\n## 3. code\n```\n";
        let known = BTreeMap::from([("README.md", headings(text))]);
        let found = |line: &str| problems_of(root(), "README.md", line, &known);
        for fine in
            ["[a](README.md#1-two-words)", "[a](#title)", "README.md 1.2", "README.md 1.2.7", "[a](https://b.c/d)"]
        {
            assert_eq!(found(fine), [""; 0], "{fine}");
        }
        for wrong in ["[a](no-such-file)", "[a](#two)", "README.md 3", "README.md 1, 1.3", "no-such-paper.md 5.2"] {
            assert_eq!(found(wrong).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn only_prose_is_read() {
        let file = |path: &str, text: &str| TextFile { path: path.into(), text: text.into() };
        let source = file("a.rs", "let url = \"http://a\"; // b\n/// c\ninclude_str!(\"d\")");
        assert_eq!(prose(&source), [(1, "// b"), (2, "/// c")]);
        let document = file("a.md", "a\n```\nb\n```\nc");
        assert_eq!(prose(&document), [(1, "a"), (5, "c")]);
    }
}
