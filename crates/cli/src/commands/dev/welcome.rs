//! Start message of `dev`: addresses, model, and the next commands.

use super::demo_project::DemoProject;
use crate::{
    output,
    settings::text,
    stack::{Stack, describe_model, is_rehearsal},
};

/// Default of `phone --emulator-url`.
const DEFAULT_EMULATOR: &str = "http://127.0.0.1:4100";

pub fn print(stack: &Stack, project: &DemoProject) {
    let server = &stack.server_url;
    let session = &project.session;
    let active = session.status == "active";
    let model = stack.app.model();
    let show = |name: &str, value: &str| output::line(format_args!("  {name:<10} {value}"));
    output::line("Chasqui is running on this machine; press Ctrl-C to stop it.\n");
    show("API", &format!("{server}/api/v1"));
    show("Docs", &format!("{server}/docs"));
    if let Some(url) = stack.app.operations_url() {
        show("Metrics", &format!("{url}/metrics"));
    }
    show("API key", &project.api_key);
    show("Sign-in", &format!("{}  (dashboard; works once)", stack.app.one_time_link()));
    show("Agent", &project.agent_id);
    show("Emulator", &format!("{}  (emulated WhatsApp{})", stack.emulator_url, stack.pair_rate_note()));
    show("Orders", &format!("{}  (sample order service with the orders 1042, 1043, 1044)", stack.orders_url));
    if active {
        show("Sandbox", &format!("active: {} is connected to the agent", session.phone));
    } else {
        show("Sandbox", &format!("code {}, to be sent from {}", session.code, session.phone));
    }
    show(
        "Own number",
        &format!(
            "{} of account {}, token {}: can be connected as a WhatsApp config",
            emulator::OWN_NUMBER_ID,
            emulator::WABA_ID,
            stack.credentials.token
        ),
    );
    if stack.credentials != emulator::Credentials::well_known() {
        show("", "That token also opens the emulator: set CHASQUI_EMULATOR_TOKEN for phone. It is shown only here.");
    }
    show("Model", &describe_model(&model));
    if is_rehearsal(&model) {
        show("", "For a real model set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY, or CHASQUI_LLM_BASE_URL");
        show("", "and CHASQUI_LLM_MODEL, and restart.");
    }
    show("Data", text(&stack.values, "server.data_dir"));
    let (program, first) = (output::program(), if active { "hi" } else { &session.code });
    let at = if stack.emulator_url == DEFAULT_EMULATOR {
        String::new()
    } else {
        format!(" --emulator-url {}", stack.emulator_url)
    };
    output::line("\nIn another terminal:\n");
    output::line(format_args!("  {program} phone{at}"));
    let hint = if active { "write to the agent" } else { "send the code first, then write to the agent" };
    output::line(format_args!("      acts as the customer: {hint}; /help lists the commands\n"));
    output::line(format_args!("  {program} phone send {first} --wait 10s{at}"));
    output::line("      does the same from a script\n");
    output::line(format_args!("  curl -s -H 'X-API-Key: {}' {server}/api/v1/agents", project.api_key));
    output::line("      lists the agents of the demo project");
}
