//! What may enter the dependency tree: banned crates, licences, sources.
//!
//! The rules are those of `deny.toml`; this reads them and the resolved tree, so that they hold on machines without
//! cargo-deny too. Security advisories need the network and stay with `cargo deny check`.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use toml::Table;

use crate::process::{cargo, output_of, root};

/// Allowed deep in the tree, where we cannot choose, but not in our own manifests.
const NOT_DIRECTLY: [(&str, &str); 1] = [("async-trait", "async functions in traits are part of the language")];

pub fn check() -> Result<()> {
    let path = root().join("deny.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let rules = Rules::parse(&text).context("deny.toml")?;
    let metadata = output_of(cargo().args(["metadata", "--locked", "--format-version", "1", "--all-features"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    let problems = rules.problems(&metadata)?;
    if !problems.is_empty() {
        bail!("{} problem(s)\n{}", problems.len(), problems.join("\n"));
    }
    Ok(())
}

struct Rules {
    licenses: Vec<String>,
    banned: Vec<(String, String)>,
    registries: Vec<String>,
}

impl Rules {
    fn parse(text: &str) -> Result<Self> {
        let table: Table = text.parse()?;
        let list = |section: &str, key: &str| -> Result<Vec<toml::Value>> {
            let found = table.get(section).and_then(|section| section.get(key)).and_then(toml::Value::as_array);
            found.cloned().with_context(|| format!("{section}.{key} is missing"))
        };
        let words = |values: Vec<toml::Value>| values.iter().filter_map(|v| v.as_str().map(String::from)).collect();
        let mut banned = Vec::new();
        for entry in list("bans", "deny")? {
            let word = |key: &str| entry.get(key).and_then(toml::Value::as_str).map(String::from);
            let name = word("crate").context("an entry of bans.deny has no `crate`")?;
            banned.push((name, word("reason").unwrap_or_default()));
        }
        Ok(Self {
            licenses: words(list("licenses", "allow")?),
            banned,
            registries: words(list("sources", "allow-registry")?),
        })
    }

    fn problems(&self, metadata: &Value) -> Result<Vec<String>> {
        let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
        let ours = metadata["workspace_members"].as_array().context("cargo metadata lists no members")?;
        let mut problems = Vec::new();
        for package in packages {
            let name = package["name"].as_str().context("a package without a name")?;
            if let Some((_, reason)) = self.banned.iter().find(|(banned, _)| banned == name) {
                problems.push(format!("{name} is banned: {reason}"));
            }
            match package["license"].as_str() {
                None => problems.push(format!("{name} names no licence")),
                Some(license) if !is_allowed(license, &self.licenses) => {
                    problems.push(format!("{name} has the licence `{license}`, which deny.toml does not allow"));
                }
                Some(_) => {}
            }
            let is_ours = ours.contains(&package["id"]);
            let source = package["source"].as_str().unwrap_or("a folder outside the workspace");
            let registry = source.strip_prefix("registry+").unwrap_or_default();
            if !is_ours && !self.registries.iter().any(|allowed| allowed == registry) {
                problems.push(format!("{name} comes from {source}, not from crates.io"));
            }
            if is_ours {
                problems.extend(direct_problems(name, package));
            }
        }
        Ok(problems)
    }
}

fn direct_problems(name: &str, package: &Value) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut problems = Vec::new();
    for (unwanted, reason) in NOT_DIRECTLY {
        if dependencies.iter().any(|dependency| dependency["name"] == unwanted) {
            problems.push(format!("{name} depends on {unwanted} directly: {reason}"));
        }
    }
    problems
}

/// Whether an SPDX expression leaves us an allowed choice. `AND` binds tighter than `OR`; the old `A/B` means `A OR B`;
/// `A WITH exception` is one licence. What cannot be read is not allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) == Some(true) && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut result = all_of(words, allowed)?;
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        result |= all_of(words, allowed)?;
    }
    Some(result)
}

fn all_of(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut result = one(words, allowed)?;
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        result &= one(words, allowed)?;
    }
    Some(result)
}

fn one(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let (license, rest) = match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let result = any_of(words, allowed)?;
            let [")", rest @ ..] = *words else { return None };
            *words = rest;
            return Some(result);
        }
        [license, "WITH", exception, rest @ ..] => (format!("{license} WITH {exception}"), rest),
        [license, rest @ ..] => (String::from(*license), rest),
        [] => return None,
    };
    *words = rest;
    Some(allowed.contains(&license))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn rules() -> Rules {
        let text = std::fs::read_to_string(root().join("deny.toml")).unwrap();
        Rules::parse(&text).unwrap()
    }

    fn problem_with(package: Value) -> String {
        let metadata = json!({ "packages": [package], "workspace_members": ["ours"] });
        rules().problems(&metadata).unwrap().join("\n")
    }

    #[test]
    fn a_licence_expression_needs_an_allowed_choice() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"].map(String::from);
        let cases = [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0 OR MIT", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("MIT OR GPL-3.0 AND GPL-2.0", true),
            ("GPL-3.0", false),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND GPL-2.0", false),
            ("MIT WITH Surprise", false),
            ("", false),
            ("(MIT", false),
            ("MIT OR", false),
            ("MIT Apache-2.0", false),
        ];
        for (expression, expected) in cases {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression:?}");
        }
    }

    #[test]
    fn an_ordinary_package_passes() {
        assert_eq!(problem_with(json!({ "name": "serde", "license": "MIT", "source": CRATES_IO, "id": "x" })), "");
        assert_eq!(
            problem_with(json!({ "name": "chasqui", "license": "Apache-2.0", "source": null, "id": "ours" })),
            ""
        );
    }

    #[test]
    fn banned_crates_are_caught() {
        for name in ["native-tls", "openssl-sys", "aws-lc-sys", "aws-lc-rs"] {
            let problem = problem_with(json!({ "name": name, "license": "MIT", "source": CRATES_IO, "id": "x" }));
            assert!(problem.contains(&format!("{name} is banned: ")), "{problem}");
        }
    }

    #[test]
    fn licences_without_an_allowed_choice_are_caught() {
        let problem = problem_with(json!({ "name": "a", "license": "AGPL-3.0", "source": CRATES_IO, "id": "x" }));
        assert!(problem.contains("a has the licence `AGPL-3.0`"), "{problem}");
        let problem = problem_with(json!({ "name": "a", "license": null, "source": CRATES_IO, "id": "x" }));
        assert_eq!(problem, "a names no licence");
    }

    #[test]
    fn sources_other_than_the_registry_are_caught() {
        let problem = problem_with(json!({ "name": "a", "license": "MIT", "source": "git+https://x/y", "id": "x" }));
        assert_eq!(problem, "a comes from git+https://x/y, not from crates.io");
        let problem = problem_with(json!({ "name": "a", "license": "MIT", "source": null, "id": "x" }));
        assert_eq!(problem, "a comes from a folder outside the workspace, not from crates.io");
    }

    #[test]
    fn async_trait_is_caught_only_as_our_own_dependency() {
        let package = |id: &str, source: Value| json!({ "name": "a", "license": "MIT", "source": source, "id": id, "dependencies": [{ "name": "async-trait" }] });
        let problem = problem_with(package("ours", Value::Null));
        assert!(problem.contains("a depends on async-trait directly"), "{problem}");
        assert_eq!(problem_with(package("x", CRATES_IO.into())), "");
    }
}
