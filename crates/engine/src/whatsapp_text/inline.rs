//! Marks inside of a line: bold, italic, strike, links. Code spans and URLs stay as they are.

/// HTML that models write between words, and WhatsApp's mark for it.
const HTML: [(&str, &str, &str); 7] = [
    ("<b>", "</b>", "*"),
    ("<strong>", "</strong>", "*"),
    ("<i>", "</i>", "_"),
    ("<em>", "</em>", "_"),
    ("<s>", "</s>", "~"),
    ("<del>", "</del>", "~"),
    ("<code>", "</code>", "`"),
];
/// Longest label or link that is looked for. Bytes.
const LINK: usize = 2_048;

/// Marks in a line of a message; a line with more of them is no message and stays as it is.
const MARKS: usize = 2_000;

pub(super) struct Inline {
    /// The text has `**bold**`, so `*x*` is italic in it; elsewhere it is WhatsApp's bold.
    markdown: bool,
}

impl Inline {
    pub(super) fn of(text: &str) -> Self {
        let bold = |line: &str| {
            pair(line, 0, "**").is_some() || line.match_indices("**").any(|(at, _)| pair(line, at, "**").is_some())
        };
        Self { markdown: text.lines().take(2_000).any(bold) }
    }

    /// The line with WhatsApp's marks.
    pub(super) fn render(&self, line: &str) -> String {
        if line.matches(['*', '_', '~']).count() > MARKS {
            return line.to_owned();
        }
        let mut out = String::with_capacity(line.len());
        let mut at = 0;
        while let Some(c) = line[at..].chars().next() {
            match self.mark(line, at) {
                Some((text, end)) => {
                    out.push_str(&text);
                    at = end;
                }
                None => {
                    out.push(c);
                    at += c.len_utf8();
                }
            }
        }
        out
    }

    /// The line without marks of bold and italic, for a title.
    pub(super) fn unmarked(&self, line: &str) -> String {
        let rendered = self.render(line);
        let inner =
            rendered.strip_prefix('*').and_then(|rest| rest.strip_suffix('*')).filter(|rest| !rest.contains('*'));
        let title = inner.unwrap_or(&rendered);
        if inner.is_none() && title.matches('*').count() == 2 { title.replace('*', "") } else { title.to_owned() }
    }

    /// Renders the mark, link, URL or code that begins at `at`. Returns its text and its end.
    fn mark(&self, line: &str, at: usize) -> Option<(String, usize)> {
        let rest = &line[at..];
        let first = rest.chars().next()?;
        match first {
            '`' => code(rest).map(|end| (rest[..end].to_owned(), at + end)),
            '\\' => {
                let escaped = rest[1..].chars().next()?;
                let kept = if escaped == '\\' { "\\\\".into() } else { escaped.to_string() };
                "\\*_~`#[]()!|>+-.".contains(escaped).then(|| (kept, at + 1 + escaped.len_utf8()))
            }
            'h' | 'w' => url(line, at).map(|end| (line[at..end].to_owned(), end)),
            '!' if rest[1..].starts_with('[') => link(&rest[1..]).map(|(text, end)| (text, at + 1 + end)),
            '[' => link(rest).map(|(text, end)| (text, at + end)),
            '<' => self.html(rest).map(|(text, end)| (text, at + end)),
            '*' | '_' | '~' => self.emphasis(line, at, first),
            _ => None,
        }
    }

    fn emphasis(&self, line: &str, at: usize, mark: char) -> Option<(String, usize)> {
        let wrapped = |marks: &str, open: &str, close: &str| {
            pair(line, at, marks).map(|end| {
                let inside = self.render(&line[at + marks.len()..end]);
                (format!("{open}{inside}{close}"), end + marks.len())
            })
        };
        match mark {
            '*' => wrapped("***", "*_", "_*")
                .or_else(|| wrapped("**", "*", "*"))
                .or_else(|| if self.markdown { wrapped("*", "_", "_") } else { None }),
            '_' => wrapped("___", "*_", "_*").or_else(|| wrapped("__", "*", "*")),
            _ => wrapped("~~", "~", "~"),
        }
    }

    fn html(&self, text: &str) -> Option<(String, usize)> {
        for tag in ["<br>", "<br/>", "<br />"] {
            if text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)) {
                return Some(("\n".into(), tag.len()));
            }
        }
        for (open, close, mark) in HTML {
            if let Some(inner) = text.strip_prefix(open)
                && let Some((inside, _)) = inner[..inner.floor_char_boundary(LINK)].split_once(close)
                && !inside.trim().is_empty()
            {
                let inside_marks = if mark == "`" { inside.to_owned() } else { self.render(inside.trim()) };
                return Some((format!("{mark}{inside_marks}{mark}"), open.len() + inside.len() + close.len()));
            }
        }
        // `<https://…>`
        let inner = text.strip_prefix('<')?;
        let close = inner[..inner.floor_char_boundary(LINK)].find('>')?;
        let address = &inner[..close];
        let is_link = is_web(address) && !address.contains(char::is_whitespace);
        is_link.then(|| (address.to_owned(), close + 2))
    }
}

/// The place of the closing marks, if `marks` open something at `at`: a word begins right after them,
/// and no letter or digit stands before them, as in `2**3`.
fn pair(line: &str, at: usize, marks: &str) -> Option<usize> {
    let mark = marks.chars().next()?;
    let inside = line[at..].strip_prefix(marks)?;
    let before = line[..at].chars().next_back();
    let opens = !inside.starts_with(|c: char| c.is_whitespace() || c == mark)
        && !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == mark);
    if !opens {
        return None;
    }
    let from = at + marks.len();
    let mut place = from;
    let mut candidate = None;
    // Code and URLs inside are skipped: their marks close nothing.
    while place < line.len() && place - from <= LINK {
        let rest = &line[place..];
        if rest.starts_with('`')
            && let Some(end) = code(rest)
        {
            place += end;
            continue;
        }
        if let Some(end) = url(line, place) {
            place = end;
            continue;
        }
        if rest.starts_with(marks) && place > from {
            let run = rest.chars().take_while(|c| *c == mark).count();
            let last = line[..place].chars().next_back();
            let after = rest[run * mark.len_utf8()..].chars().next();
            let closes = !last.is_some_and(|c| c.is_whitespace() || c == mark)
                && !after.is_some_and(|c| c.is_ascii_alphanumeric())
                && !is_file_name(&rest[run * mark.len_utf8()..]);
            // `**a *b***`: the outer marks are the last ones.
            if closes && (run == marks.len() || (marks.len() == 2 && run == 3)) {
                candidate = Some(place + (run - marks.len()) * mark.len_utf8());
                break;
            }
            place += run * mark.len_utf8();
            continue;
        }
        place += rest.chars().next().map_or(1, char::len_utf8);
    }
    candidate
}

/// `.py` after `__init__`.
fn is_file_name(after: &str) -> bool {
    after.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The end of a code span.
fn code(text: &str) -> Option<usize> {
    let ticks = text.bytes().take_while(|byte| *byte == b'`').count();
    let close = text[ticks..].find(&text[..ticks])?;
    Some(ticks + close + ticks)
}

fn is_web(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The end of a URL; marks and punctuation at its end belong to the sentence.
fn url(line: &str, at: usize) -> Option<usize> {
    let rest = &line[at..];
    let begins = is_web(rest) || rest.starts_with("www.");
    if !begins || line[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '|')).unwrap_or(rest.len());
    let url = rest[..end].trim_end_matches(['*', '_', '~', '.', ',', ';', ':', '!', '?', ')', ']', '\'']);
    // A bracket that the URL opened is its own.
    let closed =
        if url.matches('(').count() > url.matches(')').count() && rest[url.len()..].starts_with(')') { 1 } else { 0 };
    Some(at + url.len() + closed)
}

/// `[label](address "title")` as `label: address`.
fn link(text: &str) -> Option<(String, usize)> {
    let text = &text[..text.floor_char_boundary(LINK)];
    let close = text.find("](")?;
    let label = &text[1..close];
    if label.contains('[') && !label.starts_with("![") {
        return None;
    }
    let mut depth = 0;
    let inside = &text[close + 2..];
    let end = inside.char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
        None
    })?;
    let address = inside[..end].trim();
    let address = address.split_once([' ', '\t']).map_or(address, |(address, _)| address);
    let address = address.trim_start_matches('<').trim_end_matches('>');
    let shown = address.strip_prefix("mailto:").or_else(|| address.strip_prefix("tel:")).unwrap_or(address);
    if !is_web(address) && shown == address {
        return None;
    }
    let label = label.trim().trim_matches(['*', '_', '`']);
    let bare = |text: &str| {
        text.trim_end_matches('/')
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_start_matches("www.")
            .to_lowercase()
    };
    let link = if label.is_empty() || bare(label) == bare(shown) {
        shown.to_owned()
    } else {
        format!("{}: {shown}", label.trim_end_matches(':'))
    };
    Some((link, close + 2 + end + 1))
}
