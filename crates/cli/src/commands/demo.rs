//! `chasqui demo`: one whole conversation over real HTTP between the real parts, checked step by step.
//!
//! A phone on the emulator talks to the sample agent: a burst that is answered once, an order looked up in another
//! system, a person taking over and handing back, a goodbye. Without a data folder or database of one's own everything
//! happens in a temporary folder that is removed at the end.

mod report;
mod temp_folder;
mod script;
mod scenario;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;

pub use script::Language;

use self::{
    report::{Record, Speaker},
    temp_folder::Scratch,
    scenario::{Limits, Story},
};
use super::signals::Stop;
use crate::{
    args::DemoArgs,
    client::{Api, Control},
    example, output,
    settings::{self, SettingFlags, variable},
    stack::{EmulatorPlan, Plan, Stage, describe_model, is_rehearsal},
};

/// How long the agent waits for the rest of a burst.
const DEBOUNCE_SECONDS: u64 = 1;
/// The built-in model answers at once, so a demo with it is over by then.
const LONGEST_REHEARSED: Duration = Duration::from_secs(30);
/// A real model takes its time.
const LONGEST: Duration = Duration::from_secs(300);

/// Ends with 0 if everything went as it should within its time, else says what failed and ends with 1.
pub async fn run(args: DemoArgs) -> Result<ExitCode> {
    if let Some(log) = variable("CHASQUI_LOG") {
        server::telemetry::init(&log);
    }
    let mut record = Record::new(!args.json);
    let mut stop = Stop::listen()?;
    let told = tokio::select! {
        told = tell(&args, &mut record) => told,
        stopped = stop.wanted() => stopped.and(Err(anyhow!("interrupted"))),
    };
    if args.json {
        output::json(&record.document(DEBOUNCE_SECONDS, told.as_ref().err()))?;
        return Ok(if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    told?;
    output::line(format_args!("\nAll {} checks passed in {:.1} s.", record.checks.len(), record.seconds()));
    Ok(ExitCode::SUCCESS)
}

/// Sets the stage and plays; the temporary folder goes when this returns, whatever happened.
async fn tell(args: &DemoArgs, record: &mut Record) -> Result<()> {
    let flags =
        SettingFlags { data_dir: args.data_dir.clone(), database: args.database.clone(), ..SettingFlags::default() };
    let free = ([127, 0, 0, 1], 0).into();
    let mut values = settings::collect(&flags, Some(free))?;
    let scratch = if settings::is_chosen(&values, "server.data_dir") { None } else { Some(Scratch::new()?) };
    if let Some(scratch) = &scratch {
        settings::decide(&mut values, "server.data_dir", scratch.path(), "demo");
    }
    let database = settings::read(&values)?.database.shown();
    record.database = if database.starts_with("sqlite:") { "sqlite" } else { "postgres" };
    let plan = Plan { command: "demo", values, emulator: EmulatorPlan::Here(free), orders: free };
    let stage = Stage::start(plan).await?;
    let model = stage.app.model();
    let longest = if is_rehearsal(&model) { LONGEST_REHEARSED } else { LONGEST };
    introduce(&stage, &database, record);
    record.model = Some(model);
    let left = longest.saturating_sub(record.elapsed());
    let played = tokio::time::timeout(left, play(&stage, args.language, record)).await;
    stage.shutdown().await;
    played.unwrap_or_else(|_| Err(anyhow!("the demo was not over within {} s", longest.as_secs())))
}

fn introduce(stage: &Stage, database: &str, record: &mut Record) {
    let model = describe_model(&stage.app.model());
    for text in [
        format!("server {} on {database}", stage.server_url),
        format!("order service {}", stage.orders_url),
        format!("emulated WhatsApp {}{}", stage.emulator_url, stage.lifted_limit()),
        format!("model: {model}"),
        format!("debounce: {DEBOUNCE_SECONDS} s after the last message of a burst"),
    ] {
        record.say(Speaker::System, &text);
    }
}

async fn play(stage: &Stage, language: Language, record: &mut Record) -> Result<()> {
    let script = language.script();
    let operator = stage.app.operator();
    let project = operator.create_project("Demo").await.context("cannot make a project")?;
    let (_, key) = operator.create_key(&project.to_string()).await.context("cannot make an API key")?;
    record.say(Speaker::System, "project and API key made");
    let api = Api::new(&stage.server_url, &key)?;
    let mut agent = example::shop_agent(&stage.orders_url)?;
    agent["message_debounce_seconds"] = json!(DEBOUNCE_SECONDS);
    let agent_id = api.create_agent(&agent).await.context("cannot make the agent")?;
    record.say(Speaker::Api, &format!("agent {} made", agent["name"]));
    let control = Control::new(&stage.emulator_url)?;
    let person = json!({"name": script.name, "user_id": script.user_id, "auto_read_ms": 200});
    let story = Story {
        who: control.person(script.phone, &person).await?,
        api,
        control,
        agent: agent_id,
        script,
        orders: &stage.orders,
        limits: Limits::new(is_rehearsal(&stage.app.model()), DEBOUNCE_SECONDS),
        answers: 0,
        record,
    };
    story.play().await
}
