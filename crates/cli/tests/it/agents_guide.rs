//! The blocks of docs/agents.md work: its graphs and nodes are saved, its commands run against
//! `chasqui dev`.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use crate::program::{Home, finished, get, post_as, shell, stderr, stdout};

const GUIDE: &str = include_str!("../../../../docs/agents.md");
const START_LIMIT: Duration = Duration::from_secs(20);

/// Code blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("\n```{language}\n");
    GUIDE.split(&start).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// An agent with this one step.
fn with_node(node: &Value) -> Value {
    let is_global = node["global"] == true;
    let step = if is_global { "talk" } else { node["name"].as_str().unwrap() };
    let mut nodes = vec![json!({"name": "__start__"}), node.clone(), json!({"name": "__end__"})];
    if is_global {
        nodes.push(json!({"name": "talk", "prompt": "Help."}));
    }
    let edges = json!([{"from": "__start__", "to": step}, {"from": step, "to": "__end__", "label": "all is said"}]);
    json!({"agent": {"name": step, "graph": {"nodes": nodes, "edges": edges}}})
}

#[test]
fn graphs_nodes_and_commands_of_the_guide_work_as_typed() {
    let home = Home::new();
    let mut dev = home.start(&["dev", "--listen", "0", "--emulator-listen", "127.0.0.1:0", "--orders-listen", "0"]);
    let api = dev.value_after("  API        ", START_LIMIT);
    let key = dev.value_after("  API key    ", START_LIMIT);

    let json_blocks = blocks("json");
    let [first, nodes @ ..] = &json_blocks[..] else { panic!("no agent") };
    assert!(nodes.len() >= 6, "{}", nodes.len());
    for node in nodes {
        let node: Value = serde_json::from_str(node).unwrap_or_else(|error| panic!("{error}: {node}"));
        let (status, answer) = post_as(&format!("{api}/agents"), &key, &with_node(&node));
        assert_eq!(status, 201, "{node}: {answer}");
    }

    fs::write(home.path().join("agent.json"), first).unwrap();
    let mut replaced = vec![("http://127.0.0.1:4000/api/v1", api.clone()), ("YOUR_API_KEY", key.clone())];
    let mut answers = Vec::new();
    let commands: Vec<&str> = blocks("sh").iter().flat_map(|block| block.split("\n\n")).collect();
    let [variables, commands @ ..] = &commands[..] else { panic!("no commands") };
    for command in commands {
        let text = replaced.iter().fold(format!("{variables}\n{command}"), |text, (from, to)| text.replace(from, to));
        let output = finished(&mut shell(home.path(), &text));
        assert!(output.status.success(), "{text}\n{}{}", stdout(&output), stderr(&output));
        let answer: Value = serde_json::from_str(&stdout(&output)).unwrap_or_default();
        assert!(answer["error"].is_null(), "{text}\n{answer}");
        let id = answer["data"]["id"].as_str().map(str::to_owned);
        for (placeholder, name) in [("/agents -d", "AGENT_ID"), ("/test_chats ", "CHAT_ID")] {
            if command.contains(placeholder) {
                replaced.push((name, id.clone().unwrap_or_else(|| panic!("{text}\n{answer}"))));
            }
        }
        answers.push(answer);
    }
    assert_eq!(answers.len(), 6);

    let chat = replaced.iter().find(|(name, _)| *name == "CHAT_ID").unwrap().1.clone();
    let answered = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        let (_, chat) = get(&format!("{api}/test_chats/{chat}"), &key);
        (chat["data"]["status"] != "processing").then_some(chat)
    });
    let answered = answered.expect("an answer within ten seconds");
    let last = answered["data"]["conversation"].as_array().unwrap().last().unwrap();
    assert_eq!(last["role"], "assistant", "{answered}");
    assert!(dev.terminates());
}
