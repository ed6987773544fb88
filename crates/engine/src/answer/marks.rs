//! Cuts the marks of a model's own format, and notes of the engine that a model repeats.

use super::code;

/// Beginnings of an answer, by chat template.
const BEGIN: [&str; 21] = [
    // ChatML (Qwen, Hermes, many others), Llama 3, Gemma, Phi, DeepSeek, Cohere, Mistral, Alpaca.
    "<|im_start|>assistant",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<start_of_turn>model",
    "<|assistant|>",
    "<｜Assistant｜>",
    "<|START_OF_TURN_TOKEN|>",
    "<|CHATBOT_TOKEN|>",
    "<|START_RESPONSE|>",
    "<|begin_of_solution|>",
    "<|begin_of_text|>",
    "<|im_start|>",
    "<bos>",
    "<s>",
    "[/INST]",
    "[ASSISTANT]",
    "### Assistant:",
    "### Response:",
    "**Assistant:**",
    "Assistant:",
    "ASSISTANT:",
    "assistant:",
];
/// The answer ends at the first of these; what follows is an invented turn.
const END: [&str; 24] = [
    "<|im_end|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|eot|>",
    "<|end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<|return|>",
    "<|user|>",
    "<|assistant|>",
    "<|start_header_id|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|END_RESPONSE|>",
    "<|end_of_solution|>",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<end_of_turn>",
    "<start_of_turn>",
    "<eos>",
    "[INST]",
    "[/INST]",
    "</s>",
];
/// Notes and data of the engine in a request. A contact cannot write this mark
/// ([`crate::text::unmarked`]).
const NOTE: &str = "[system ";
/// Beginning of a step prompt.
const STEP: &str = "# Step: ";

pub(super) fn without(text: &str) -> String {
    let mut text = text.trim();
    // `<s>old price</s> new price` is HTML.
    let html = text.split_once("</s>").is_some_and(|(_, after)| !after.trim().is_empty());
    let begin =
        |text: &'_ str| BEGIN.iter().find(|mark| text.starts_with(**mark) && !(html && **mark == "<s>")).copied();
    while let Some(rest) = begin(text).and_then(|mark| text.strip_prefix(mark)) {
        text = rest.trim_start();
    }
    // The role stays when the marks around it were special tokens.
    text = text.strip_prefix("assistant\n").or_else(|| text.strip_prefix("model\n")).unwrap_or(text);
    let text = without_notes(until_end(text)).trim().to_owned();
    if text.starts_with(STEP) { String::new() } else { text }
}

fn until_end(text: &str) -> &str {
    let code = code::ranges(text);
    let found = |mark: &&str| {
        text.match_indices(*mark).map(|(at, _)| at).find(|at| {
            // `<s>old price</s>` is HTML.
            let html = *mark == "</s>" && text[..*at].contains("<s>");
            !html && !code::holds(&code, *at)
        })
    };
    END.iter().filter_map(found).min().map_or(text, |at| &text[..at])
}

/// Removes each note up to the next blank line.
fn without_notes(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if !lower.contains(NOTE) {
        return text.to_owned();
    }
    let code = code::ranges(text);
    let mut out = String::new();
    let mut place = 0;
    for (at, _) in lower.match_indices(NOTE) {
        if at < place || code::holds(&code, at) {
            continue;
        }
        out.push_str(&text[place..at]);
        place = text[at..].find("\n\n").map_or(text.len(), |end| at + end);
    }
    out + &text[place..]
}
