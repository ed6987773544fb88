//! `chasqui replay EXECUTION`: feeds the journal to the engine and compares the effects. It uses no
//! network and no clock.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;
use server::operator::Operator;

use crate::{args::ReplayArgs, output, settings};

/// Exits with 0 if all effects equal the stored ones, with 1 if one differs or none was compared.
pub async fn run(args: ReplayArgs) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let operator = Operator::open(&config).await?;
    let ids = if args.execution == "all" {
        operator.executions().await?
    } else {
        vec![args.execution.parse().ok().with_context(|| format!("'{}' is not an execution id", args.execution))?]
    };
    let (mut steps, mut effects, mut differences) = (0, 0, Vec::new());
    for id in &ids {
        let replay = operator.replay(*id).await?;
        steps += replay.steps;
        effects += replay.effects;
        if let Some(found) = replay.difference {
            differences.push(json!({
                "execution": id, "step": found.step_no, "in": found.what, "stored": found.stored, "replayed": found.replayed,
            }));
        }
    }
    if args.json {
        let (ok, executions) = (differences.is_empty() && effects > 0, ids.len());
        output::json(
            &json!({"ok": ok, "executions": executions, "steps": steps, "effects": effects, "differences": differences}),
        )?;
    } else {
        output::line(format_args!("{} executions, {steps} steps, {effects} effects replayed", ids.len()));
        for found in &differences {
            output::line(format_args!(
                "execution {} differs at step {} in its {}",
                found["execution"], found["step"], found["in"]
            ));
            output::line(format_args!("  stored    {}", found["stored"]));
            output::line(format_args!("  replayed  {}", found["replayed"]));
        }
        if differences.is_empty() && effects > 0 {
            output::line("all effects equal the stored ones");
        }
    }
    Ok(if differences.is_empty() && effects > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
