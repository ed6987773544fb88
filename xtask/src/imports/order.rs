//! Declared order of the top modules of a crate: each imports only modules before it.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Imports;
use super::tree::Tree;

/// From the foundation upwards. The root of a crate stands above all.
const ORDERS: &[(&str, &[&str])] = &[
    (
        "engine",
        &[
            "serde_skip",
            "effect",
            "facts",
            "input",
            "limits",
            "state",
            "text",
            "answer",
            "whatsapp_text",
            "variable_values",
            "nodes",
            "tokens",
            "knowledge",
            "query",
            "tool_result",
            "agent",
            "history",
            "prompt",
            "transcript",
            "step_builder",
            "handoff",
            "input_queue",
            "message_changes",
            "lifecycle",
            "wait",
            "retry",
            "send",
            "summary",
            "request",
            "tools",
            "model_answer",
            "model_call",
            "advance",
            "compile",
            "judge",
            "mcp",
            "simulated_user",
            "trial",
        ],
    ),
    (
        "runtime",
        &[
            "failpoint",
            "clock",
            "json",
            "deleted_text",
            "derived_id",
            "data_dir",
            "node",
            "worker_step",
            "cpu",
            "byte_cache",
            "metric_table",
            "log_limit",
            "feed",
            "leases",
            "interrupts",
            "in_flight",
            "slots",
            "knowledge_cache",
            "mcp_cache",
            "provider_cache",
            "context",
            "events",
            "unanswered",
            "suspects",
            "mailbox",
            "hooks",
            "secrets",
            "model_providers",
            "senders",
            "number_proof",
            "sandbox",
            "channel",
            "media",
            "templates",
            "outbox",
            "ownership",
            "quarantine",
            "execution",
            "replay",
            "test_mode",
            "ingest",
            "jobs",
            "pictures",
            "turn",
            "dispatch",
            "trials",
            "timers",
            "hook_delivery",
            "poison",
            "workers",
        ],
    ),
    (
        "server",
        &[
            "error",
            "passwords",
            "api",
            "project_limits",
            "hosts",
            "state",
            "auth",
            "change",
            "found",
            "resources",
            "docs",
            "assets",
            "health",
            "media",
            "webhooks",
            "phone",
            "telemetry",
            "router",
            "connections",
            "settings",
            "config",
            "operator",
            "lock",
            "master_key",
            "backup",
            "well_known",
            "start",
            "doctor",
        ],
    ),
];

pub fn problems(name: &str, tree: &Tree, imports: &Imports) -> Vec<String> {
    let Some((_, order)) = ORDERS.iter().find(|(folder, _)| *folder == name) else { return Vec::new() };
    against(order, name, tree, imports)
}

fn against(order: &[&str], name: &str, tree: &Tree, imports: &Imports) -> Vec<String> {
    let tops = tops(tree);
    let place = |file: usize| match tops[file] {
        None => Some(order.len()),
        Some(top) => order.iter().position(|listed| *listed == top),
    };
    let mut problems = Vec::new();
    let modules: BTreeSet<&str> = tops.iter().flatten().copied().collect();
    for module in &modules {
        if !order.contains(module) {
            problems.push(format!("  {name}::{module} has no place in the order in xtask/src/imports/order.rs"));
        }
    }
    for module in order.iter().filter(|module| !modules.contains(*module)) {
        problems.push(format!("  {name}::{module} is in the order in xtask/src/imports/order.rs, but does not exist"));
    }
    for ((from, to), import) in imports {
        if let (Some(upper), Some(lower)) = (place(*from), place(*to))
            && upper < lower
        {
            problems.push(format!(
                "  {}:{} imports {} from {}, which comes later in the order of modules",
                tree.files[*from], import.line, import.path, tree.files[*to]
            ));
        }
    }
    problems
}

/// The top module that each file belongs to; none for the root of the crate.
fn tops(tree: &Tree) -> Vec<Option<&str>> {
    let mut tops = vec![None; tree.files.len()];
    for module in &tree.modules {
        if module.file != tree.modules[0].file {
            tops[module.file] = module.path.first().map(String::as_str);
        }
    }
    tops
}

/// An order that holds today, if there is one; by name where the imports leave a choice.
pub fn possible(tree: &Tree, imports: &Imports) -> Option<Vec<String>> {
    let tops = tops(tree);
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = tops.iter().flatten().map(|top| (*top, BTreeSet::new())).collect();
    for (from, to) in imports.keys() {
        if let (Some(from), Some(to)) = (tops[*from], tops[*to])
            && from != to
        {
            needs.entry(from).or_default().insert(to);
        }
    }
    let mut order: Vec<String> = Vec::new();
    while !needs.is_empty() {
        let next = *needs.iter().find(|(_, needed)| needed.iter().all(|it| order.iter().any(|placed| placed == it)))?.0;
        needs.remove(next);
        order.push(next.to_owned());
    }
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::{parse, resolve};

    #[test]
    fn imports_against_the_order_and_unlisted_modules_are_problems() {
        let read = |path: &str| {
            let text = match path {
                "src/lib.rs" => "mod low; mod high; mod new;",
                "src/low.rs" => "use crate::high::f;",
                "src/high.rs" => "pub fn f() {}",
                "src/new.rs" => "",
                _ => return None,
            };
            Some(text.to_owned())
        };
        let tree = parse::parse("src/lib.rs", &read).unwrap();
        let imports = resolve::imports(&tree);
        let problems = against(&["low", "high", "old"], "a", &tree, &imports);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].contains("a::new has no place"));
        assert!(problems[1].contains("a::old is in the order"));
        assert!(problems[2].contains("src/low.rs:1 imports crate::high::f from src/high.rs"));
        assert!(against(&["high", "low", "new"], "a", &tree, &imports).is_empty());
        assert_eq!(possible(&tree, &imports).unwrap(), ["high", "low", "new"]);
    }
}
