//! Channels of the harmony format (gpt-oss): only the channel `final` is for the person. Servers that
//! do not know the format leave its marks, or its bare words, in the text.

use super::separated::Separated;

const MARKS: [&str; 7] =
    ["<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|return|>", "<|call|>"];

/// The text of the final channel, and calls as `NAME{…}` for the reader of calls in text; a text
/// without channels is unchanged.
pub(super) fn final_channel(text: &str, found: &mut Separated) -> String {
    if !text.contains("<|channel|>") && !text.contains("<|message|>") {
        return bare(text, found);
    }
    let mut reading = Reading { said: String::new(), header: String::new(), in_header: true, found };
    let mut place = 0;
    for (at, _) in text.match_indices("<|") {
        let Some(mark) = MARKS.iter().find(|mark| at >= place && text[at..].starts_with(*mark)) else { continue };
        reading.take(&text[place..at]);
        place = at + mark.len();
        match *mark {
            "<|message|>" => reading.in_header = false,
            // Only adds to the header.
            "<|constrain|>" => reading.in_header = true,
            _ => {
                reading.header.clear();
                reading.in_header = true;
            }
        }
    }
    reading.take(&text[place..]);
    let Reading { said, header, in_header, found } = reading;
    if in_header {
        // Text before the first mark or after the last one has no channel.
        found.hide(&header);
    }
    said
}

struct Reading<'a> {
    said: String,
    header: String,
    in_header: bool,
    found: &'a mut Separated,
}

impl Reading<'_> {
    fn take(&mut self, part: &str) {
        if self.in_header {
            self.header.push_str(part);
            self.header.push(' ');
            return;
        }
        let words: Vec<&str> = self.header.split_whitespace().collect();
        let recipient = words.iter().find_map(|word| word.split_once("to=")).map(|(_, name)| name);
        match recipient {
            // For the reader of calls in text.
            Some(name) => self.said.push_str(&format!("{}{part}\n", name.trim_start_matches("functions."))),
            None if words.contains(&"final") => self.said.push_str(part),
            None => self.found.hide(part),
        }
    }
}

/// The words of the format without its marks: `analysis…assistantfinal…`.
fn bare(text: &str, found: &mut Separated) -> String {
    let start = text.trim_start();
    let Some(after) = start.strip_prefix("analysis") else { return text.to_owned() };
    if let Some((private, said)) = after.rsplit_once("assistantfinal") {
        found.hide(private);
        return said.to_owned();
    }
    if after.starts_with(|c: char| c.is_uppercase()) {
        found.hide(after);
        return String::new();
    }
    text.to_owned()
}
