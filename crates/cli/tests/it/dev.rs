//! `dev` and `phone`.

use std::{
    io::Write as _,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::program::{
    Home, Running, finished, get, get_text, json, post_as, post_with, status_with_host, stderr, stdout,
};

/// Time limit for the start message.
const START_LIMIT: Duration = Duration::from_secs(5);
const FREE: [&str; 7] = ["dev", "--listen", "0", "--emulator-listen", "127.0.0.1:0", "--orders-listen", "0"];

struct Dev {
    process: Running,
    api: String,
    docs: String,
    key: String,
    agent: String,
    emulator: String,
    sandbox: String,
}

impl Dev {
    #[track_caller]
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let started = Instant::now();
        let mut process = home.start(arguments);
        let mut value = |name: &str| process.value_after(&format!("  {name:<10} "), START_LIMIT - started.elapsed());
        let first_word = |text: String| text.split_whitespace().next().unwrap().to_owned();
        let (api, docs, key, agent) = (value("API"), value("Docs"), value("API key"), value("Agent"));
        let (emulator, sandbox) = (first_word(value("Emulator")), value("Sandbox"));
        assert!(value("Own number").starts_with("100000000000002 of account 200000000000001, token EAAEMULATORTOKEN"));
        assert!(value("Model").contains("not an AI"));
        process.value_after("curl -s", START_LIMIT - started.elapsed());
        Self { process, api, docs, key, agent, emulator, sandbox }
    }

    fn code(&self) -> &str {
        let code = self.sandbox.strip_prefix("code ").expect("a pending session");
        &code[..6]
    }

    fn phone_sends(&self, home: &Home, text: &str) -> Value {
        json(&home.run(&["phone", "send", text, "--wait", "10s", "--json", "--emulator-url", &self.emulator]))
    }
}

fn first(answers: &Value) -> &str {
    answers["answers"][0]["text"].as_str().unwrap()
}

#[test]
fn dev_starts_within_seconds_and_its_agent_answers() {
    let home = Home::new();
    let dev = Dev::start(&home, &FREE);
    let (status, agents) = get(&format!("{}/agents", dev.api), &dev.key);
    assert_eq!((status, &agents["data"][0]["id"]), (200, &Value::String(dev.agent.clone())));
    let (status, reference) = get_text(&dev.docs, "");
    assert!(status == 200 && reference.contains("spec-url=\"/openapi.json\""), "{status} {reference}");
    assert_eq!(["rebound.example", "localhost:1"].map(|host| status_with_host(&dev.docs, host)), [403, 200]);
    // A Brazilian number is answered in Portuguese.
    assert!(first(&dev.phone_sends(&home, dev.code())).contains("agente"));
    assert!(first(&dev.phone_sends(&home, "where is my order?")).contains("order number"));
    assert!(
        first(&dev.phone_sends(&home, "1042")).contains("Northwind Parcel"),
        "the order service answers through the tool"
    );
    assert!(dev.process.terminates());
}

#[test]
fn second_start_reuses_project_agent_and_session() {
    let home = Home::new();
    let before = Dev::start(&home, &FREE);
    before.phone_sends(&home, before.code());
    let first_start = (before.key.clone(), before.agent.clone());
    assert!(before.process.terminates());

    let again = Dev::start(&home, &FREE);
    assert_eq!((again.key.clone(), again.agent.clone()), first_start);
    assert!(again.sandbox.starts_with("active"), "{}", again.sandbox);
    // The order service has another port now, and the agent uses it. Message ids are new.
    let answer = again.phone_sends(&home, "where is order 1043?");
    assert!(first(&answer).contains("1043") && !first(&answer).contains("number"), "{answer}");
    assert_eq!(get(&format!("{}/agents", again.api), &again.key).1["data"].as_array().unwrap().len(), 1);
}

#[test]
fn refused_key_is_replaced() {
    let home = Home::new();
    let before = Dev::start(&home, &FREE);
    let old = before.key.clone();
    assert!(before.process.terminates());
    let file = home.data().join("dev.json");
    let text = std::fs::read_to_string(&file).unwrap().replace(&old, &old.replace("chq_", "chq_x"));
    std::fs::write(&file, text).unwrap();
    let again = Dev::start(&home, &FREE);
    assert_ne!(again.key, old);
    assert_eq!(get(&format!("{}/agents", again.api), &again.key).0, 200);
}

#[test]
fn dev_works_with_an_external_emulator() {
    let home = Home::new();
    let mut emulator = home.start(&["emulator", "--listen", "0", "--seed", "7"]);
    let url = emulator.value_after("The emulator listens on ", START_LIMIT);
    let dev = Dev::start(&home, &["dev", "--listen", "0", "--orders-listen", "0", "--emulator-url", &url]);
    assert_eq!(dev.emulator, url);
    assert!(first(&dev.phone_sends(&home, dev.code())).contains("agente"));
    assert!(dev.process.terminates());
    assert!(emulator.terminates());
}

#[test]
fn phone_reads_messages_from_a_pipe_and_waits_for_answers() {
    let home = Home::new();
    let dev = Dev::start(&home, &FREE);
    dev.phone_sends(&home, dev.code());
    let mut phone = home.command(&["phone", "--emulator-url", &dev.emulator]);
    let mut phone = phone.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    phone.stdin.take().unwrap().write_all(b"hi\nwhere is my order?\n").unwrap();
    let output = phone.wait_with_output().unwrap();
    let text = stdout(&output);
    assert!(output.status.success(), "{text}{}", stderr(&output));
    assert!(text.starts_with("you: hi"), "{text}");
    assert!(text.contains("business: ") && text.contains("order number"), "{text}");
}

#[test]
fn phone_send_without_answer_exits_with_1() {
    let home = Home::new();
    let mut emulator = home.start(&["emulator", "--listen", "0"]);
    let url = emulator.value_after("The emulator listens on ", START_LIMIT);
    let send = ["phone", "send", "anybody?", "--as", "+5511988887777", "--emulator-url", &url];
    assert!(home.run(&send).status.success(), "without --wait the message is only sent");
    let output = finished(home.command(&send).args(["--wait", "300ms"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no answer within 0.3 s"), "{}", stderr(&output));
}

#[test]
fn phone_without_emulator_explains_how_to_start_one() {
    let home = Home::new();
    let output = home.run(&["phone", "send", "hi", "--emulator-url", "http://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no emulator answers at http://127.0.0.1:1; start one with `dev`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn addresses_beyond_this_machine_need_expose_and_then_a_token() {
    let home = Home::new();
    for arguments in [
        &["emulator", "--listen", "0.0.0.0:0"][..],
        &["emulator", "--listen", "0", "--orders-listen", "0.0.0.0:0"],
        &["dev", "--listen", "0.0.0.0:0", "--emulator-listen", "127.0.0.1:0", "--orders-listen", "0"],
        &["dev", "--listen", "0", "--emulator-listen", "0.0.0.0:0", "--orders-listen", "0"],
    ] {
        let refused = home.run(arguments);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&refused).contains("--expose"), "{}", stderr(&refused));
    }
    let exposed = ["dev", "--listen", "0", "--emulator-listen", "0.0.0.0:0", "--orders-listen", "0", "--expose"];
    let mut process = home.start(&exposed);
    let emulator = process.value_after("  Emulator   ", START_LIMIT).split_whitespace().next().unwrap().to_owned();
    let own = process.value_after("  Own number ", START_LIMIT);
    let token = own.split("token ").nth(1).unwrap().split(':').next().unwrap().to_owned();
    process.value_after("curl -s", START_LIMIT);
    let send = ["phone", "send", "hi", "--wait", "10s", "--json", "--emulator-url", &emulator];
    let without = home.run(&send);
    assert_eq!(without.status.code(), Some(1));
    assert!(stderr(&without).contains("token"), "{}", stderr(&without));
    let sent = json(&home.run(&[&send[..], &["--emulator-token", &token]].concat()));
    assert!(sent["answers"].as_array().is_some_and(|answers| !answers.is_empty()), "{sent}");
    assert!(process.terminates(), "dev must stop with success");
}

/// Sends a message of the emulated business, as an agent would.
fn business_sends(emulator: &str, message: &Value) {
    let url = format!("{emulator}/v23.0/100000000000001/messages");
    let (status, answer) = post_with(&url, ("authorization", "Bearer EAAEMULATORTOKEN"), message);
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn phone_shows_buttons_taps_them_sends_files_and_writes_to_another_number() {
    let home = Home::new();
    let mut emulator = home.start(&["emulator", "--listen", "0"]);
    let url = emulator.value_after("The emulator listens on ", START_LIMIT);
    let phone = |words: &[&str]| home.run(&[&["phone"], words, &["--emulator-url", &url]].concat());
    assert!(phone(&["send", "hi", "--to", "+1 555 000 2222"]).status.success());
    assert!(phone(&["send", "hi"]).status.success());
    assert!(stderr(&phone(&["tap", "1"])).contains("no message has a button"));
    let button = |id: &str, title: &str| serde_json::json!({"type": "reply", "reply": {"id": id, "title": title}});
    business_sends(
        &url,
        &serde_json::json!({
        "messaging_product": "whatsapp", "to": "5511999990001", "type": "interactive",
        "interactive": {"type": "button", "body": {"text": "Is it right?"},
            "action": {"buttons": [button("y", "Yes"), button("n", "No")]}}}),
    );
    let refused = phone(&["tap", "Maybe"]);
    assert!(stderr(&refused).contains("it has Yes, No"), "{}", stderr(&refused));
    assert!(phone(&["tap", "2"]).status.success());
    std::fs::write(home.path().join("bill.pdf"), b"%PDF-1.4").unwrap();
    let file = home.path().join("bill.pdf");
    assert!(phone(&["file", file.to_str().unwrap(), "--caption", "my bill"]).status.success());
    let chat =
        |number: &str| get(&format!("{url}/_emulator/v1/chats/{number}/5511999990001"), "").1["messages"].clone();
    let messages = chat("100000000000001");
    let of = |at: usize| &messages[at]["content"];
    assert_eq!(of(2)["button_reply"]["title"], "No", "{messages}");
    assert_eq!((&of(3)["filename"], &of(3)["caption"]), (&"bill.pdf".into(), &"my bill".into()));
    assert_eq!(chat("100000000000002").as_array().map(Vec::len), Some(1), "the other number got its message");
    let unknown = phone(&["send", "hi", "--to", "+1"]);
    assert!(stderr(&unknown).contains("the emulator has no number +1; it has 100000000000001"), "{}", stderr(&unknown));
}

#[test]
fn dev_says_how_to_give_a_handed_over_conversation_back() {
    let home = Home::new();
    let mut dev = Dev::start(&home, &FREE);
    let code = dev.code().to_owned();
    dev.phone_sends(&home, &code);
    let human = ["phone", "send", "I want to talk to a human", "--wait", "2s", "--emulator-url", &dev.emulator];
    home.run(&human);
    dev.process.value_after("Give it back to the agent with:", Duration::from_secs(15));
    let command = dev.process.value_after("  curl -s -X POST", Duration::from_secs(1));
    let url = command.split_whitespace().last().unwrap().to_owned();
    assert!(url.ends_with("/resume"), "{command}");
    assert_eq!(post_as(&url, &dev.key, &serde_json::json!({})).0, 200);
}
