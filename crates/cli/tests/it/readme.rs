//! The commands of the README's section about a real number work as typed, with the emulator in
//! place of Meta.

use std::{path::PathBuf, process::Command, time::Duration};

use serde_json::{Value, json};
use testkit::ANA;

use crate::program::{BINARY, Home, Running, finished, shell, stderr, stdout};

const README: &str = include_str!("../../../../README.md");
const START_LIMIT: Duration = Duration::from_secs(20);

/// Indented code blocks of the section, in order.
fn blocks() -> Vec<String> {
    let (_, section) = README.split_once("## A real number\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("   ```\n").skip(1).step_by(2);
    blocks.map(|block| block.lines().map(|line| format!("{}\n", line.trim_start_matches("   "))).collect()).collect()
}

/// Placeholders of the README, and stand-ins for Meta and the public address.
struct Typed {
    replaced: Vec<(&'static str, String)>,
    home: PathBuf,
}

impl Typed {
    fn replace(&mut self, from: &'static str, to: &str) {
        self.replaced.push((from, to.to_owned()));
    }

    fn shell(&self, text: &str) -> Command {
        let mut text = text.to_owned();
        for (from, to) in &self.replaced {
            text = text.replace(from, to);
        }
        shell(&self.home, &text)
    }

    fn run(&self, text: &str) -> String {
        let output = finished(&mut self.shell(text));
        assert!(output.status.success(), "{text}\n{}{}", stdout(&output), stderr(&output));
        stdout(&output)
    }
}

async fn control(emulator: &str, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
    gateways::tls::install();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(method, format!("{emulator}/_emulator/v1{path}"));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.unwrap().json().await.unwrap()
}

#[test]
fn readme_commands_for_a_real_number_work_as_typed() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut emulator = home.start(&["emulator", "--listen", "0"]);
    let emulator = emulator.value_after("The emulator listens on ", START_LIMIT);
    let mut typed = Typed { replaced: Vec::new(), home: home.path().to_owned() };
    typed.replace("cargo build --release -p chasqui\n", "");
    typed.replace("export OPENAI_API_KEY=YOUR_MODEL_KEY", "export CHASQUI_LLM_PROVIDER=Rehearsal");
    typed.replace("YOUR_APP_SECRET", emulator::APP_SECRET);
    typed.replace("target/release/chasqui serve", "exec target/release/chasqui serve");
    typed.replace("target/release/chasqui", BINARY);
    typed.replace("0.0.0.0:4000", "127.0.0.1:0");
    let [serve, create, register, subscribe, health] = &blocks()[..] else { panic!("the section has other blocks") };

    let mut server = Running::start(typed.shell(serve).env("CHASQUI_GRAPH_BASE_URL", &emulator));
    let token = server.value_after("verify token: ", START_LIMIT);
    let url = server.value_after("Chasqui listens on ", START_LIMIT);
    assert!(typed.home.join("chasqui-data/chasqui.db").exists());
    typed.replace("https://chasqui.example.com", &url);
    let created = typed.run(create);
    let key = created.lines().find_map(|line| line.strip_prefix("API key")).unwrap().trim();
    typed.replace("YOUR_API_KEY", key);

    typed.replace("PHONE_NUMBER_ID", emulator::OWN_NUMBER_ID);
    typed.replace("ACCOUNT_ID", emulator::WABA_ID);
    typed.replace("ACCESS_TOKEN", emulator::ACCESS_TOKEN);
    typed.replace("https://graph.facebook.com", &emulator);
    typed.replace("VERIFY_TOKEN", &token);
    let commands: Vec<&str> = register.split("\n\n").collect();
    let [variables, commands @ ..] = &commands[..] else { panic!("no commands") };
    let ids = ["CUSTOMER_ID", "CONFIG_ID", "AGENT_ID", "LINK_ID"];
    assert_eq!(commands.len(), ids.len());
    for (command, id) in commands.iter().zip(ids) {
        let answer: Value = serde_json::from_str(&typed.run(&format!("{variables}\n{command}"))).unwrap();
        typed.replace(id, answer["data"]["id"].as_str().unwrap_or_else(|| panic!("{command}: {answer}")));
    }
    // The dashboard, and the command that goes with it.
    let hook = json!({"callback_url": format!("{url}/webhooks/whatsapp"), "verify_token": token});
    runtime.block_on(control(&emulator, reqwest::Method::PUT, "/webhooks/config", Some(hook)));
    typed.run(subscribe);
    let answer: Value = serde_json::from_str(&typed.run(&format!("{variables}\n{health}"))).unwrap();
    assert_eq!(answer["status"], "healthy", "{answer}");

    let inbound = json!({"from": ANA, "phone_number_id": emulator::OWN_NUMBER_ID, "text": "hello"});
    runtime.block_on(control(&emulator, reqwest::Method::POST, "/inbound", Some(inbound)));
    let chat = format!("/chats/{}/{}", emulator::OWN_NUMBER_ID, ANA.trim_start_matches('+'));
    runtime.block_on(testkit::until(|| async {
        let chat = control(&emulator, reqwest::Method::GET, &chat, None).await;
        chat["messages"].as_array().is_some_and(|all| all.iter().any(|message| message["direction"] == "out"))
    }));
    assert!(server.terminates());
}
