//! What `dev` prints: where everything is, which model answers, and what to type next.

use super::demo_project::DemoProject;
use crate::{
    output,
    settings::text,
    stack::{Stage, describe_model, is_rehearsal},
};

/// Where `phone` looks when it is told nothing.
const USUAL_EMULATOR: &str = "http://127.0.0.1:4100";

/// Once everything is ready.
pub fn print(stage: &Stage, project: &DemoProject) {
    let server = &stage.server_url;
    let session = &project.session;
    let active = session.status == "active";
    let model = stage.app.model();
    let show = |name: &str, value: &str| output::line(format_args!("  {name:<10} {value}"));
    output::line("Chasqui runs on this machine; Ctrl-C stops it.\n");
    show("API", &format!("{server}/api/v1"));
    show("Docs", &format!("{server}/docs"));
    show("API key", &project.api_key);
    show("Agent", &project.agent_id);
    show("Emulator", &format!("{}  (WhatsApp in a box{})", stage.emulator_url, stage.lifted_limit()));
    show("Orders", &format!("{}  (the agent's sample order service: 1042, 1043, 1044)", stage.orders_url));
    if active {
        show("Sandbox", &format!("active: {} talks to the agent", session.phone));
    } else {
        show("Sandbox", &format!("code {}, to be sent from {}", session.code, session.phone));
    }
    show(
        "Own number",
        &format!(
            "{} of account {}, token {}: free to be registered as a WhatsApp config",
            emulator::OWN_NUMBER_ID,
            emulator::WABA_ID,
            emulator::ACCESS_TOKEN
        ),
    );
    show("Model", &describe_model(&model));
    if is_rehearsal(&model) {
        show("", "For a real one set OPENAI_API_KEY, or CHASQUI_LLM_BASE_URL and CHASQUI_LLM_MODEL, and start again.");
    }
    show("Data", text(&stage.values, "server.data_dir"));
    let (program, first) = (output::program(), if active { "hi" } else { &session.code });
    let at = if stage.emulator_url == USUAL_EMULATOR {
        String::new()
    } else {
        format!(" --emulator-url {}", stage.emulator_url)
    };
    output::line("\nIn another terminal:\n");
    output::line(format_args!("  {program} phone{at}"));
    let hint = if active { "write to the agent" } else { "send the code first, then write to the agent" };
    output::line(format_args!("      be the customer: {hint}, /help says what else\n"));
    output::line(format_args!("  {program} phone send {first} --wait 10s{at}"));
    output::line("      the same from a script\n");
    output::line(format_args!("  curl -s -H 'X-API-Key: {}' {server}/api/v1/agents", project.api_key));
    output::line("      the agents of the demo project");
}
