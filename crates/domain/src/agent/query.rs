//! JMESPath expressions, checked before they are parsed.
//!
//! Parser and interpreter recurse without a limit, so a few hundred brackets would overflow the
//! stack and end the process.

use super::codes;
use super::read::{Fields, Findings};
use crate::limits::{QUERY_BYTES, QUERY_NESTING};
use jmespath::ast::Ast;

/// Reads `jmespath_query`; blank is absent.
pub(super) fn read(fields: &mut Fields, found: &mut Findings) -> Option<String> {
    let at = fields.place("jmespath_query");
    let query = fields.text("jmespath_query", found).filter(|query| !query.trim().is_empty())?;
    if !found.trusting
        && let Err(message) = parse_query(&query)
    {
        found.error(at, codes::BAD_JMESPATH, message);
    }
    Some(query)
}

/// Parses an expression of limited length and nesting. The error is for the person who wrote it.
pub fn parse_query(query: &str) -> Result<Ast, String> {
    if query.len() > QUERY_BYTES {
        return Err(format!("a JMESPath expression has at most {QUERY_BYTES} bytes"));
    }
    if nesting(query) > QUERY_NESTING {
        return Err(format!("a JMESPath expression nests at most {QUERY_NESTING} operators"));
    }
    jmespath::parse(query).map_err(|problem| {
        format!("not a JMESPath expression: {} at character {}", reason(&problem), problem.offset + 1)
    })
}

/// Length of the longest chain of operators: brackets add to the operators before them, and a comma
/// starts a new chain. Text in quotes does not count.
fn nesting(query: &str) -> usize {
    let mut levels = vec![0];
    let mut most = 0;
    let mut characters = query.chars();
    while let Some(c) = characters.next() {
        match c {
            '\'' | '"' | '`' => skip_quoted(&mut characters, c),
            '(' | '[' | '{' => levels.push(1),
            ')' | ']' | '}' if levels.len() > 1 => {
                levels.pop();
                add(&mut levels);
            }
            ',' => {
                levels.pop();
                levels.push(1);
            }
            '!' | '&' | '*' | '.' | '|' | '=' | '<' | '>' | '?' => add(&mut levels),
            _ => {}
        }
        most = most.max(levels.iter().sum());
    }
    most
}

fn add(levels: &mut [usize]) {
    if let Some(level) = levels.last_mut() {
        *level += 1;
    }
}

fn skip_quoted(characters: &mut std::str::Chars<'_>, quote: char) {
    while let Some(c) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == quote {
            return;
        }
    }
}

fn reason(problem: &jmespath::JmespathError) -> String {
    match &problem.reason {
        jmespath::ErrorReason::Parse(text) => text.to_lowercase().trim_end_matches(['.', '\n']).to_owned(),
        jmespath::ErrorReason::Runtime(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_counts_what_is_inside_or_after_one_another() {
        for (query, nested) in
            [("a", 0), ("a.b.c", 2), ("[a, b, c]", 1), ("{a: b.c, d: e.f}", 2), ("a[].b[]", 3), ("'[[[['.a", 1)]
        {
            assert_eq!(nesting(query), nested, "{query}");
        }
    }

    #[test]
    fn a_long_but_flat_expression_is_fine() {
        let fields: Vec<String> = (0..60).map(|n| format!("f{n}: a.b[0]")).collect();
        assert!(parse_query(&format!("items[?ok == `true`].{{{}}} | [0]", fields.join(", "))).is_ok());
    }

    #[test]
    fn a_quote_cannot_hide_brackets() {
        assert!(parse_query(&format!("'\\'{}'", ")".repeat(9))).is_ok());
        for query in
            ["('(')(".repeat(120), "[']'][".repeat(120), "a[].".repeat(255), "!".repeat(1000), "a||".repeat(300)]
        {
            assert!(parse_query(&query).unwrap_err().contains("nests"), "{query}");
        }
    }
}
