//! Takes private reasoning in tags out of a text.
//!
//! In doubt, text counts as reasoning: after an opening tag without a closing one, all that follows;
//! before a closing tag without an opening one, all that precedes it.

use super::{
    code,
    separated::Separated,
    tags::{self, FINAL, Kind, PRIVATE, REPLY},
};

pub(super) fn without(text: &str, found: &mut Separated) -> String {
    let before = found.private.len();
    let text = reasoning_fence(text, found);
    let mut said = String::new();
    let mut place = 0;
    let mut inside = false;
    for tag in tags::all(&text, &PRIVATE) {
        let part = &text[place..tag.range.start];
        match (inside, tag.kind) {
            // A second open tag inside of reasoning changes nothing.
            (true, Kind::Open) => {
                found.hide(part);
                place = tag.range.end;
                continue;
            }
            (true, Kind::Close) => found.hide(part),
            (false, Kind::Open) => said.push_str(part),
            (false, Kind::Close) => {
                found.hide(&format!("{said}{part}"));
                said.clear();
            }
        }
        inside = tag.kind == Kind::Open;
        place = tag.range.end;
    }
    if inside {
        found.hide(&text[place..])
    } else {
        said.push_str(&text[place..])
    }
    if found.private.len() > before {
        said = without_empty_fence(&said);
    }
    let has_private = !found.private.is_empty();
    let said = final_part(said, &FINAL, found);
    let trimmed = said.trim();
    let tags = tags::all(trimmed, &REPLY);
    let wraps = tags.first().is_some_and(|tag| tag.range.start == 0);
    if has_private || wraps { final_part(said, &REPLY, found) } else { said }
}

/// The inside of the last pair of tags of these names; what stands outside is private.
fn final_part(text: String, names: &[&str], found: &mut Separated) -> String {
    let tags = tags::all(&text, names);
    let Some(open) = tags.iter().rfind(|tag| tag.kind == Kind::Open) else { return text };
    let close = tags.iter().find(|tag| tag.kind == Kind::Close && tag.range.start >= open.range.end);
    found.hide(&text[..open.range.start]);
    let end = close.map_or(text.len(), |close| close.range.start);
    if let Some(close) = close {
        found.hide(&text[close.range.end..]);
    }
    text[open.range.end..end].to_owned()
}

/// A fenced block at the beginning whose info string says that it is reasoning.
fn reasoning_fence(text: &str, found: &mut Separated) -> String {
    let start = text.trim_start();
    let Some(range) = code::ranges(start).into_iter().next().filter(|range| range.start == 0) else {
        return text.to_owned();
    };
    let block = &start[range.clone()];
    let info = block.lines().next().unwrap_or_default().trim_matches(['`', '~', ' ']).to_ascii_lowercase();
    if !PRIVATE.contains(&info.as_str()) {
        return text.to_owned();
    }
    found.hide(code::inside_of_fence(block).unwrap_or(block));
    start[range.end..].to_owned()
}

/// A fence around an answer whose reasoning was taken out.
fn without_empty_fence(text: &str) -> String {
    code::inside_of_fence(text).map_or_else(|| text.to_owned(), str::to_owned)
}
