//! Hand-made requests: other shapes of agents, unusual histories, long texts.

use domain::chat::{ChatMessage, ModelRequest, ModelResponse, ToolCall, ToolSpec};
use serde_json::{Value, json};

use crate::answer;

fn tool(name: &str, description: &str, parameters: Value) -> ToolSpec {
    ToolSpec { name: name.to_owned(), description: description.to_owned(), parameters }
}

fn moves() -> ToolSpec {
    tool("MoveToNextNode", "", json!({"type": "object", "properties": {"next_node": {"type": "string"}}}))
}

fn contact(text: &str) -> ChatMessage {
    ChatMessage::user(text.to_owned())
}

fn called(id: &str, name: &str, arguments: Value, result: &str) -> [ChatMessage; 2] {
    let call = ToolCall { id: id.to_owned(), name: name.to_owned(), arguments };
    [ChatMessage::assistant(None, vec![call]), ChatMessage::Tool { call_id: id.to_owned(), content: result.to_owned() }]
}

fn step(prompt: &str) -> [ChatMessage; 2] {
    called("s", "MoveToNextNode", json!({"next_node": "x", "reason": ""}), prompt)
}

fn ask(messages: Vec<ChatMessage>, tools: Vec<ToolSpec>) -> ModelResponse {
    answer(&ModelRequest { system: String::new(), messages, tools, ..ModelRequest::default() })
}

fn text(response: &ModelResponse) -> &str {
    response.text.as_deref().unwrap()
}

fn result_of(content: Value, language: &str) -> String {
    let mut messages = vec![contact(language)];
    messages.extend(called("c", "stock_request", json!({"sku": "A-1"}), &content.to_string()));
    text(&ask(messages, vec![tool("stock_request", "", json!({}))])).to_owned()
}

#[tokio::test]
async fn provider_answers_without_a_network() {
    let provider = crate::provider();
    assert_eq!(provider.describe().provider, "Rehearsal");
    assert!(provider.complete(&ModelRequest::default(), "trace").await.unwrap().text.is_some());
}

#[test]
fn chat_without_steps_and_tools_gets_text() {
    let response = ask(vec![contact("hola")], vec![]);
    assert_eq!(text(&response), "¡Hola! ¿En qué te puedo ayudar?\n[modelo de ensayo, no es una IA]");
    assert_eq!(response.model, "rehearsal");
    assert!(response.usage.input_tokens > 0 && response.usage.output_tokens > 0);
    assert!(!text(&ask(vec![], vec![])).is_empty());
}

#[test]
fn version_1_agent_gets_a_call_instead_of_text() {
    let ask_tool =
        tool("AskUserForInput", "", json!({"type": "object", "properties": {"message": {"type": "string"}}}));
    let mut messages: Vec<ChatMessage> =
        called("u", "handle_user_message", json!({}), "{\"text\":\"oi, bom dia\"}").into();
    messages.push(ChatMessage::assistant(Some("# Step: start\n\n## Instructions\nx".to_owned()), vec![]));
    let response = ask(messages, vec![ask_tool]);
    assert_eq!(response.text, None);
    assert_eq!(response.tool_calls[0].name, "AskUserForInput");
    assert_eq!(response.tool_calls[0].id, "call_3");
    let message = response.tool_calls[0].arguments["message"].as_str().unwrap();
    assert_eq!(message, "Olá! Como posso ajudar?\n[modelo de ensaio, não é uma IA]");
}

#[test]
fn system_data_gets_a_greeting_or_a_welcome_back() {
    let first = ask(vec![contact("[system data]\n{\"order\":1}")], vec![]);
    assert!(text(&first).starts_with("Hi! How can I help you?"));
    let greeting = ChatMessage::assistant(Some("Soy Marta, ¿qué pasó?".to_owned()), vec![]);
    let back = ask(vec![contact("quiero ayuda"), greeting, contact("[system data]\n{}")], vec![]);
    assert!(text(&back).starts_with("Hola de nuevo"));
}

#[test]
fn refused_move_is_not_repeated() {
    let prompt = "# Step: a\n\n## Next steps\n- billing: the person asks about an invoice\n- orders: the person asks about an order";
    let mut messages = vec![contact("an invoice please")];
    messages.extend(step(prompt));
    let first = ask(messages.clone(), vec![moves()]);
    assert_eq!(first.tool_calls[0].arguments["next_node"], "billing");
    messages.extend(called(
        "m",
        "MoveToNextNode",
        json!({"next_node": "billing", "reason": ""}),
        "{\"next_node\":\"NOT_FOUND\",\"available_nodes\":[\"orders\"]}",
    ));
    assert!(ask(messages, vec![moves()]).tool_calls.is_empty());
}

#[test]
fn steps_in_a_circle_end_the_turn_with_text() {
    let a = "# Step: a\n\n## Next steps\n- b: the person asks about pizza";
    let b = "# Step: b\n\n## Next steps\n- a: the person asks about pizza";
    let mut messages = vec![contact("pizza!")];
    messages.extend(step(a));
    messages.extend(step(b));
    assert!(ask(messages, vec![moves()]).text.is_some());
}

#[test]
fn global_step_is_reached_by_its_access_name() {
    let prompt = "# Step: a\n\n## Next steps\n- b: wants b\n- use_help__at__a: la persona pide hablar con un humano";
    let mut messages = vec![contact("I need to speak with somebody")];
    messages.extend(step(prompt));
    assert_eq!(ask(messages, vec![moves()]).tool_calls[0].arguments["next_node"], "use_help__at__a");
}

#[test]
fn only_unconditional_step_follows_an_answer() {
    let mut messages = vec![contact("hi")];
    messages.extend(step(
        "# Step: ask_name\n\n## Instructions\nAsk for the name.\n\n## Next steps\n- ask_city: when this step is done",
    ));
    messages.push(ChatMessage::assistant(Some("What is your name?".to_owned()), vec![]));
    messages.push(contact("Ana"));
    assert_eq!(ask(messages, vec![moves()]).tool_calls[0].arguments["next_node"], "ask_city");
}

#[test]
fn undelivered_text_is_repeated() {
    let greeting = ChatMessage::assistant(Some("Hi! How can I help you?".to_owned()), vec![]);
    let note = contact("[system note] Your last message was not delivered: timeout");
    let response = ask(vec![contact("hola"), greeting, note], vec![tool("WaitForUser", "", json!({}))]);
    assert_eq!(text(&response), "¡Hola! ¿En qué te puedo ayudar?\n[modelo de ensayo, no es una IA]");
}

#[test]
fn no_new_input_calls_the_waiting_tool() {
    let greeting = ChatMessage::assistant(Some("Hi!".to_owned()), vec![]);
    let response = ask(vec![contact("hola"), greeting], vec![tool("WaitForUser", "", json!({}))]);
    assert_eq!(response.tool_calls[0].name, "WaitForUser");
}

#[test]
fn headings_in_instructions_are_not_sections() {
    let prompt = "# Step: a\n\n## Instructions\n## Next steps\n- wrong: the person asks about tea\n# Tone\nKind.\n\n\
                  ## Next steps\n- `right`: the person asks about tea";
    let mut messages = vec![contact("I would like some tea")];
    messages.extend(step(prompt));
    assert_eq!(ask(messages, vec![moves()]).tool_calls[0].arguments["next_node"], "right");
}

#[test]
fn data_of_any_shape_is_put_into_words() {
    assert!(
        result_of(
            json!({"status_code": 200, "content": {"in_stock": true, "warehouse_code": "B7", "price": 3}}),
            "hola"
        )
        .starts_with("Esto es lo que encontré:\n• In stock: sí\n• Warehouse code: B7\n• Precio: 3\n")
    );
    assert!(result_of(json!("Ready on Monday"), "hi").starts_with("Ready on Monday. Is there anything else"));
    assert!(result_of(json!(["10:00", "11:30"]), "oi").starts_with("Encontrei isto: 10:00, 11:30."));
    assert!(
        result_of(json!([{"name": "Tea", "price": 2}, {"name": "Mate", "price": 3}]), "hi")
            .starts_with("I found this: Tea (2), Mate (3). Is there")
    );
    assert!(
        result_of(json!({"order": {"id": 5, "status": "awaiting_stamp"}}), "hi")
            .starts_with("The status of your order 5 is: awaiting stamp.")
    );
    assert!(result_of(Value::Null, "hi").starts_with("I am sorry, I could not find anything."));
    assert!(result_of(json!({"status_code": 503, "content": null}), "hola").contains("¿Puedes intentarlo de nuevo"));
    assert!(
        result_of(json!({"error": "invalid_arguments", "details": [{"path": "/sku", "message": "bad"}]}), "hi")
            .contains("sku")
    );
}

#[test]
fn label_is_sent_once() {
    let greeting = ChatMessage::assistant(Some("Hi!\n[rehearsal model, not an AI]".to_owned()), vec![]);
    let response = ask(vec![contact("hello"), greeting, contact("hola, ¿qué tal?")], vec![]);
    assert!(!text(&response).contains('['));
}

#[test]
fn question_is_passed_to_the_search_tool_as_written() {
    let search = tool(
        "kb_retrieval",
        "Searches the knowledge bases.",
        json!({"type": "object", "properties": {"queries": {"type": "array", "items": {"type": "string"}},
            "knowledge_base_key": {"type": "string"}}, "required": ["queries", "knowledge_base_key"]}),
    );
    let mut messages = vec![contact("how do I return my knowledge test?")];
    messages.extend(step(
        "# Step: faq\n\n## Knowledge bases\n- shipping: parcels and delivery\n- refunds: returns and money back",
    ));
    let response = ask(messages, vec![search]);
    assert_eq!(
        response.tool_calls[0].arguments,
        json!({"queries": ["how do I return my knowledge test?"], "knowledge_base_key": "refunds"})
    );
}

#[test]
fn end_of_a_ten_mebibyte_text_is_read() {
    let long = format!("{} can I talk to a human?", "á ".repeat(4 * 1024 * 1024));
    let mut messages = vec![contact(&long)];
    messages.extend(step("# Step: a\n\n## Next steps\n- desk: the person asks for a human"));
    let response = ask(messages, vec![moves()]);
    assert_eq!(response.tool_calls[0].arguments["next_node"], "desk");
}
