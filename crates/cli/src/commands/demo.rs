//! `chasqui demo`: one whole conversation over real HTTP, checked step by step.
//!
//! A phone on the emulator talks to the sample agent: a burst that gets one answer, an order
//! look-up in another system, a handoff and its resume, a goodbye. Unless a data folder is given,
//! all data is in a temporary folder that is removed at the end.

mod report;
mod scenario;
mod script;
mod temp_folder;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;

pub use script::Language;

use self::{
    report::{Report, Speaker},
    scenario::{Limits, Scenario},
    temp_folder::TempFolder,
};
use super::signals::Stop;
use crate::{
    args::DemoArgs,
    client::{Api, Control},
    example,
    exposure::Exposed,
    output,
    settings::{self, SettingFlags, variable},
    stack::{EmulatorChoice, Stack, StackConfig, describe_model, is_rehearsal},
};

/// Debounce of the demo agent.
const DEBOUNCE_SECONDS: u64 = 1;
/// Time limit with the rehearsal model, which answers at once.
const REHEARSAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit with a real model.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Exits with 0 if all checks passed in time; otherwise reports the failure and exits with 1.
pub async fn run(args: DemoArgs) -> Result<ExitCode> {
    if let Some(log) = variable("CHASQUI_LOG") {
        server::telemetry::init(&log);
    }
    let mut report = Report::new(!args.json);
    let mut stop = Stop::listen()?;
    let result = tokio::select! {
        result = run_demo(&args, &mut report) => result,
        stopped = stop.requested() => stopped.and(Err(anyhow!("interrupted"))),
    };
    if args.json {
        output::json(&report.document(DEBOUNCE_SECONDS, result.as_ref().err()))?;
        return Ok(if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    result?;
    output::line(format_args!("\nAll {} checks passed in {:.1} s.", report.checks.len(), report.seconds()));
    Ok(ExitCode::SUCCESS)
}

/// Starts the stack and runs the scenario. The temporary folder is removed in every case.
async fn run_demo(args: &DemoArgs, report: &mut Report) -> Result<()> {
    let flags =
        SettingFlags { data_dir: args.data_dir.clone(), database: args.database.clone(), ..SettingFlags::default() };
    let free = ([127, 0, 0, 1], 0).into();
    let mut values = settings::collect(&flags, Some(free))?;
    let temp_folder = if settings::is_given(&values, "server.data_dir") { None } else { Some(TempFolder::new()?) };
    if let Some(temp_folder) = &temp_folder {
        settings::set(&mut values, "server.data_dir", temp_folder.path(), "demo");
    }
    // The demo is over before its metrics are of use, and `serve` may have the default address.
    settings::set_default(&mut values, "server.operations_listen", "off", "demo");
    let database = settings::read(&values)?.database.shown();
    report.database = if database.starts_with("sqlite:") { "sqlite" } else { "postgres" };
    let plan = StackConfig {
        command: "demo",
        values,
        emulator: EmulatorChoice::Embedded(free),
        phone_in_page: false,
        exposed: Exposed::nowhere(),
        orders: free,
    };
    let stack = Stack::start(plan).await?;
    let model = stack.app.model();
    let longest = if is_rehearsal(&model) { REHEARSAL_TIMEOUT } else { TIMEOUT };
    print_setup(&stack, &database, report);
    report.model = Some(model);
    let left = longest.saturating_sub(report.elapsed());
    let played = tokio::time::timeout(left, play(&stack, args.language, report)).await;
    stack.shutdown().await;
    played.unwrap_or_else(|_| Err(anyhow!("the demo did not finish within {} s", longest.as_secs())))
}

fn print_setup(stack: &Stack, database: &str, report: &mut Report) {
    let model = describe_model(&stack.app.model());
    for text in [
        format!("server {} on {database}", stack.server_url),
        format!("order service {}", stack.orders_url),
        format!("emulated WhatsApp {}{}", stack.emulator_url, stack.pair_rate_note()),
        format!("model: {model}"),
        format!("debounce: {DEBOUNCE_SECONDS} s after the last message of a burst"),
    ] {
        report.add(Speaker::System, &text);
    }
}

async fn play(stack: &Stack, language: Language, report: &mut Report) -> Result<()> {
    let script = language.script();
    let operator = stack.app.operator();
    let project = operator.create_project_with("Demo", &Default::default()).await.context("cannot create a project")?;
    let (_, key) = operator.create_key(&project.to_string()).await.context("cannot create an API key")?;
    report.add(Speaker::System, "project and API key created");
    let api = Api::new(&stack.server_url, &key)?;
    let mut agent = example::shop_agent(&stack.orders_url)?;
    agent["message_debounce_seconds"] = json!(DEBOUNCE_SECONDS);
    let agent_id = api.create_agent(&agent).await.context("cannot create the agent")?;
    report.add(Speaker::Api, &format!("agent {} created", agent["name"]));
    let control = Control::new(&stack.emulator_url, None)?;
    let contact = json!({"name": script.name, "user_id": script.user_id, "auto_read_ms": 200});
    let scenario = Scenario {
        customer: control.ensure_contact(script.phone, &contact).await?,
        api,
        control,
        agent: agent_id,
        script,
        orders: &stack.orders,
        limits: Limits::new(is_rehearsal(&stack.app.model()), DEBOUNCE_SECONDS),
        answers: 0,
        report,
    };
    scenario.run().await
}
