//! A model whose answer follows from what it is asked, so that a question that is asked twice is answered alike.

use serde_json::{Value, json};
use testkit::Request;

pub const BOOK: &str = "Please book the blue notebook.";
pub const BYE: &str = "No more questions.";
pub const MORE: &str = "And do you sell pens?";

/// The path of questions.
pub const PATH: &str = "/v1/chat/completions";

/// What it says in the end to each.
pub fn answer_to(question: &str) -> &'static str {
    match question {
        BOOK => "The booking is on its way.",
        BYE => "Have a nice day.",
        _ => "Yes, in three colours.",
    }
}

pub fn complete(request: &Request) -> Value {
    let messages = request.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let asked =
        |question: &str| messages.iter().rposition(|message| says(message, "user", question)).map_or(0, |at| at + 1);
    let question = [BOOK, BYE, MORE].into_iter().max_by_key(|question| asked(question)).unwrap();
    let since = &messages[asked(question)..];
    let message = match question {
        BOOK if !since.iter().any(|message| calls(message, "1042")) => {
            call("orders_request", &json!({"order_number": "1042"}))
        }
        BYE if !since.iter().any(|message| calls(message, "closing")) => {
            call("MoveToNextNode", &json!({"next_node": "closing", "reason": "done"}))
        }
        _ => json!({"role": "assistant", "content": answer_to(question)}),
    };
    choice(&message)
}

/// The answer of a model that says this.
pub fn choice(message: &Value) -> Value {
    json!({"id": "x", "model": "scripted-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
}

/// Whether it is a message of this role with this text in it.
pub fn says(message: &Value, role: &str, text: &str) -> bool {
    message["role"] == role && message["content"].as_str().is_some_and(|content| content.contains(text))
}

/// Whether it calls a tool with this among the arguments.
fn calls(message: &Value, argument: &str) -> bool {
    message["tool_calls"][0]["function"]["arguments"].as_str().is_some_and(|arguments| arguments.contains(argument))
}

fn call(name: &str, arguments: &Value) -> Value {
    let function = json!({"name": name, "arguments": arguments.to_string()});
    json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c0", "type": "function", "function": function}]})
}
