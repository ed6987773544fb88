//! JMESPath expressions, checked before they are parsed.
//!
//! Parser and interpreter recurse without a limit, so a few hundred brackets would overflow the
//! stack and end the process.

use super::codes;
use super::read::{Fields, Findings};

const MOST_BYTES: usize = 1024;

/// Operators inside or after one another. A stack of 2 MiB bears about twice as many.
const MOST_NESTED: usize = 100;

/// Reads `jmespath_query`; blank is absent.
pub(super) fn read(fields: &mut Fields, found: &mut Findings) -> Option<String> {
    let at = fields.place("jmespath_query");
    let query = fields.text("jmespath_query", found).filter(|query| !query.trim().is_empty())?;
    if !found.trusting
        && let Err(message) = check(&query)
    {
        found.error(at, codes::BAD_JMESPATH, message);
    }
    Some(query)
}

fn check(query: &str) -> Result<(), String> {
    if query.len() > MOST_BYTES {
        return Err(format!("a JMESPath expression has at most {MOST_BYTES} bytes"));
    }
    if nesting(query) > MOST_NESTED {
        return Err(format!("a JMESPath expression nests at most {MOST_NESTED} operators"));
    }
    match jmespath::compile(query) {
        Ok(_) => Ok(()),
        Err(problem) => {
            Err(format!("not a JMESPath expression: {} at character {}", reason(&problem), problem.offset + 1))
        }
    }
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
        assert_eq!(check(&format!("items[?ok == `true`].{{{}}} | [0]", fields.join(", "))), Ok(()));
    }

    #[test]
    fn a_quote_cannot_hide_brackets() {
        assert!(check(&format!("'\\'{}'", ")".repeat(9))).is_ok());
        for query in
            ["('(')(".repeat(120), "[']'][".repeat(120), "a[].".repeat(255), "!".repeat(1000), "a||".repeat(300)]
        {
            assert!(check(&query).unwrap_err().contains("nests"), "{query}");
        }
    }
}
