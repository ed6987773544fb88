//! Strict model servers. Each refuses what the real server refuses, with its status and its words,
//! and answers in its form. A rule is data and a small check; it names its source, which is public,
//! and holds an example that it refuses.

/// Adds a member of the request.
macro_rules! member {
    ($name:literal, $value:expr) => {
        |request: &mut Value| request[$name] = json!($value)
    };
}

/// Adds a message at the end.
macro_rules! message {
    ($($json:tt)+) => {
        |request: &mut Value| push(request, "messages", json!($($json)+))
    };
}

macro_rules! rule {
    ($name:literal, $status:literal, $check:expr, $example:expr, $source:literal) => {
        Rule { name: $name, status: $status, check: $check, example: $example, source: $source }
    };
}

mod anthropic;
mod chat;
mod chat_rules;
mod gemini;
mod kinds;
mod native_rules;
mod pictures;
mod server;
pub(crate) mod stream;
mod table;

pub use kinds::{Abilities, Dialect, Refused, Rule, Shape};
pub use table::DIALECTS;

#[cfg(test)]
mod tests {
    use super::{
        kinds::{list, word},
        *,
    };
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_refuses_its_example_and_accepts_the_rest() {
        for dialect in DIALECTS {
            assert_eq!(dialect.refusal(&dialect.accepted()), None, "{}", dialect.name);
            for rule in dialect.rules {
                let mut request = dialect.accepted();
                (rule.example)(&mut request);
                let refused = (rule.check)(&request);
                assert!(refused.is_some(), "{} accepts {}: {request:#}", dialect.name, rule.name);
                assert!(dialect.refusal(&request).is_some());
                assert!(rule.source.starts_with("https://"), "{}", rule.name);
            }
        }
    }

    #[test]
    fn every_dialect_refuses_six_requests() {
        for dialect in DIALECTS {
            let rules: BTreeSet<&str> = dialect.rules.iter().map(|rule| rule.name).collect();
            assert!(rules.len() >= 6, "{}: {rules:?}", dialect.name);
            assert_eq!(rules.len(), dialect.rules.len(), "{}: a rule twice", dialect.name);
        }
    }

    #[test]
    fn native_forms_convert_to_chat_completions() {
        for dialect in DIALECTS {
            let chat = dialect.as_chat(&dialect.accepted());
            let roles: Vec<&str> = list(&chat["messages"]).iter().map(|message| word(&message["role"])).collect();
            assert_eq!(roles[..4], ["system", "user", "assistant", "tool"], "{}", dialect.name);
            assert_eq!(
                chat["messages"][3]["tool_call_id"], chat["messages"][2]["tool_calls"][0]["id"],
                "{}",
                dialect.name
            );
            assert_eq!(chat["tools"][0]["function"]["name"], "find", "{}", dialect.name);
        }
    }
}
