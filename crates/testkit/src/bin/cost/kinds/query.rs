//! A JMESPath expression over the answer of a tool.

use super::play::{Asks, Play, compiled, graph};
use crate::measure::{Bound, Case, Kind, MIB};
use domain::{json::bytes_of, limits::ANSWER_VALUES, tool_request::ToolAnswer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub static KIND: Kind = Kind {
    name: "query",
    bound: Bound { work: (400, 160 * MIB), peak: (150, 64 * MIB) },
    most: 1 << 20,
    seeds,
    words: &[
        "@",
        "[@,@]|",
        "[]",
        "[*]",
        ".*",
        "[?@]",
        "[?a==b]",
        "a",
        "b",
        "k0",
        "|",
        "||",
        "&&",
        "!",
        "`1`",
        "'x'",
        "[::-1]",
        "[0]",
        "[]|",
        "map(&[@,@], @)",
        "sort(@)",
        "sort_by(@, &a)",
        "max_by(@, &a)",
        "join('x', @)",
        "to_string(@)",
        "keys(@)",
        "values(@)",
        "merge(@, @)",
        "reverse(@)",
        "contains(@, @)",
        "length(@)",
        "to_array(@)",
        "not_null(@, a)",
        "{a: @, b: @}|",
        "[a, b, a]",
        "type(@)",
        "to_number(@)",
        "\"",
        "\\",
        "@ == @",
    ],
    prepare,
};

fn seeds() -> Vec<Value> {
    let items = json!([{"$times": 100, "of": {"a": "x$i", "b": [1, 2, {"a": "$i"}]}}]);
    let query = |query: &str, answer: &Value| json!({"query": query, "answer": answer});
    let repeated = |part: &str, times: u64, answer: &Value| json!({"query": {"$text": [{"$times": times, "of": part}, "@"]}, "answer": answer});
    vec![
        repeated("[@,@]|", 12, &json!("x")),
        repeated("{a: @, b: @}|", 10, &json!({"a": 1})),
        repeated("map(&[@,@], @)|[]|", 6, &items),
        repeated("[to_string(@), to_string(@)]|", 6, &json!("x\"")),
        query("[].b[] | sort_by([?a], &a)", &items),
        query("[*].a | join('', @)", &items),
        query("[?contains(to_string(@), a)]", &items),
        query("map(&sort([a, a, a, a]), @)", &items),
        query("[].[a, b][] | [::-1]", &json!([{"$times": 2_000, "of": {}}])),
        query("to_number(@)", &json!({"$text": [{"$times": 1_000, "of": "[],"}]})),
        query("{all: [], names: [*].a, first: [0], n: length(@)}", &items),
    ]
}

fn prepare(input: &Value) -> Option<Case> {
    let (query, answer) = (input.get("query")?.as_str()?, input.get("answer")?.clone());
    if domain::json::exceeds(&answer, ANSWER_VALUES) {
        return None;
    }
    let bytes = query.len() + bytes_of(&answer);
    let webhook =
        json!({"name": "orders", "description": "Books", "url": "https://shop.example/", "jmespath_query": query});
    let graph = graph(&json!("Help."), &json!("done"), &json!({"webhooks": [webhook]}));
    let work = move || {
        let Some(agent) = compiled(&graph, None) else { return };
        let mut play = Play::new(&agent, &Map::new(), &Map::new());
        let Asks::Model(effect) = play.say("Hello") else { return };
        let Asks::Tool(effect, ..) = play.call(effect, "orders_request", &json!({})) else { return };
        let answer = ToolAnswer::Answered { status: 200, content: answer.clone(), truncated: false };
        play.answer(effect, answer, &BTreeMap::new());
    };
    Some(Case { bytes, work: Box::new(work) })
}
