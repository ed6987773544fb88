//! Blocks of Markdown: fences, headings, rules, lists, quotes and tables.

use super::inline::Inline;
use crate::answer::code;

const RULE: &str = "———";

pub(super) fn render(text: &str) -> String {
    let inline = Inline::of(text);
    let mut out = String::with_capacity(text.len());
    let mut place = 0;
    for range in code::fences(text) {
        lines(&text[place..range.start], &inline, &mut out);
        out.push_str(&fence(&text[range.clone()]));
        place = range.end;
    }
    lines(&text[place..], &inline, &mut out);
    out
}

/// A fenced block without its info string, which WhatsApp would show.
fn fence(block: &str) -> String {
    let end = if block.ends_with('\n') { "\n" } else { "" };
    match code::inside_of_fence(block).filter(|inside| !inside.contains("```")) {
        Some("") => String::new(),
        Some(inside) => format!("```\n{inside}\n```{end}"),
        None => block.to_owned(),
    }
}

fn lines(text: &str, inline: &Inline, out: &mut String) {
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let (content, end) = line.strip_suffix('\n').map_or((line, ""), |content| (content, "\n"));
        let next = lines.peek().map_or("", |next| next.trim_end());
        if content.contains('|') && is_delimiter(next) {
            lines.next();
            out.push_str(&format!("*{}*\n", inline.unmarked(&cells(content).join(" | "))));
            while let Some(row) = lines.next_if(|row| row.contains('|')) {
                let cells: Vec<String> = cells(row).iter().map(|cell| inline.render(cell)).collect();
                let end = if row.ends_with('\n') { "\n" } else { "" };
                out.push_str(&format!("{}{end}", cells.join(" | ")));
            }
            continue;
        }
        if !content.trim().is_empty() && !next.is_empty() && next.chars().all(|c| c == '=') && next.len() >= 3 {
            let end = if lines.next().is_some_and(|line| line.ends_with('\n')) { "\n" } else { "" };
            out.push_str(&format!("{}{end}", bold(content.trim(), inline)));
            continue;
        }
        out.push_str(&self::line(content, inline));
        out.push_str(end);
    }
}

fn line(line: &str, inline: &Inline) -> String {
    let bare = line.trim_start();
    let indent = &line[..line.len() - bare.len()];
    if let Some(title) = heading(bare).filter(|_| indent.len() <= 3) {
        return bold(title, inline);
    }
    if is_rule(bare) {
        return RULE.into();
    }
    if let Some(item) = item(bare) {
        let (mark, item) = match item.get(..4).map(str::to_ascii_lowercase).as_deref() {
            Some("[ ] ") => ("☐ ", &item[4..]),
            Some("[x] ") => ("☑ ", &item[4..]),
            _ => ("", item),
        };
        return format!("{indent}- {mark}{}", inline.render(item));
    }
    if bare.starts_with('>') {
        let inner = bare.trim_start_matches(['>', ' ']);
        return format!("> {}", inline.render(inner)).trim_end().to_owned();
    }
    inline.render(line)
}

fn heading(line: &str) -> Option<&str> {
    let marks = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line[marks..].strip_prefix([' ', '\t']).filter(|_| (1..=6).contains(&marks))?;
    Some(title.trim().trim_end_matches('#').trim_end()).filter(|title| !title.is_empty())
}

/// A title in bold: marks inside of it would end the bold part.
fn bold(title: &str, inline: &Inline) -> String {
    let title = inline.unmarked(title);
    if title.contains(['*', '\n']) || title.contains("://") { title } else { format!("*{title}*") }
}

/// `---`, `***`, `___`, also with blanks between.
fn is_rule(line: &str) -> bool {
    let marks: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    marks.len() >= 3 && ['-', '*', '_'].iter().any(|mark| marks.chars().all(|c| c == *mark))
}

/// The text of a list item. A line `+ 54 11 …` is a phone number.
fn item(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['-', '*', '+'])?;
    let item = rest.strip_prefix([' ', '\t'])?.trim_start();
    (!line.starts_with('+') || item.starts_with(char::is_alphabetic)).then_some(item)
}

/// `| --- | :-: |` below the header of a table.
fn is_delimiter(line: &str) -> bool {
    let line = line.trim();
    let cells = cells(line);
    let dashes = |cell: &String| cell.contains('-') && cell.trim_matches(':').chars().all(|c| c == '-');
    line.contains('|') && !cells.is_empty() && cells.iter().all(dashes)
}

fn cells(row: &str) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = row.strip_suffix('|').unwrap_or(row);
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}
