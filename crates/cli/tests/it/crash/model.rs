//! Deterministic model: repeated requests get the same answer.

use serde_json::{Value, json};
use testkit::Request;

pub const BOOK: &str = "Please book the blue notebook.";
pub const BYE: &str = "No more questions.";
pub const MORE: &str = "And do you sell pens?";

/// Path of model requests.
pub const PATH: &str = "/v1/chat/completions";

/// Final answer to each question.
pub fn answer_to(question: &str) -> &'static str {
    match question {
        BOOK => "The booking is on its way.",
        BYE => "Have a nice day.",
        _ => "Yes, in three colours.",
    }
}

pub fn complete(request: &Request) -> Value {
    let messages = request.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let asked = |question: &str| {
        messages.iter().rposition(|message| contains_text(message, "user", question)).map_or(0, |at| at + 1)
    };
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

/// Response of a model with this message.
pub fn choice(message: &Value) -> Value {
    json!({"id": "x", "model": "scripted-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
}

/// True if the message has this role and contains the text.
pub fn contains_text(message: &Value, role: &str, text: &str) -> bool {
    message["role"] == role && message["content"].as_str().is_some_and(|content| content.contains(text))
}

/// True if the message is a tool call with this argument.
fn calls(message: &Value, argument: &str) -> bool {
    message["tool_calls"][0]["function"]["arguments"].as_str().is_some_and(|arguments| arguments.contains(argument))
}

fn call(name: &str, arguments: &Value) -> Value {
    let function = json!({"name": name, "arguments": arguments.to_string()});
    json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c0", "type": "function", "function": function}]})
}
