//! Headers of webhooks and MCP servers, as the graph's author configured them.

use super::codes;
use super::read::{Findings, Given, escape, short};
use super::variables;
use serde_json::{Map, Value};

const MOST: usize = 32;
const MOST_BYTES: usize = 4 * 1024;

/// Set by the HTTP client, or meant for the next hop only.
const FORBIDDEN: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
];

/// The headers in order, and the text that they were written in.
pub(super) fn read(
    given: Option<(Map<String, Value>, Given)>,
    found: &mut Findings,
) -> (Vec<(String, String)>, Option<String>) {
    let Some((map, given)) = given else { return (Vec::new(), None) };
    // A place inside a text has no pointer, so problems are reported at the text.
    let place =
        |name: &str| if given.raw.is_some() { given.at.clone() } else { format!("{}/{}", given.at, escape(name)) };
    let mut headers = Vec::with_capacity(map.len());
    for (name, value) in map {
        let Value::String(value) = value else {
            let message = format!("the value of header '{}' must be a string; quote it", short(&name));
            found.error(place(&name), codes::WRONG_TYPE, message);
            continue;
        };
        if let Some((code, message)) = problem(&name, &value) {
            found.error(place(&name), code, message);
        }
        headers.push((name, value));
    }
    if headers.len() > MOST {
        found.error(given.at.clone(), codes::TOO_MANY_HEADERS, format!("{} headers; at most {MOST}", headers.len()));
    }
    if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MOST_BYTES {
        found.error(given.at.clone(), codes::HEADERS_TOO_LARGE, "headers have at most 4 KiB in all");
    }
    (headers, given.raw)
}

pub(super) fn to_json(headers: &[(String, String)]) -> Value {
    headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
}

fn problem(name: &str, value: &str) -> Option<(&'static str, String)> {
    let literal = variables::replace_all(name, "x");
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if literal.is_empty() || !literal.bytes().all(token) {
        return Some((codes::BAD_HEADER, format!("'{}' is not a header name", short(name))));
    }
    if value.contains(|c: char| c != '\t' && c.is_control()) {
        return Some((
            codes::BAD_HEADER,
            format!("header '{}' holds a line break or another control character", short(name)),
        ));
    }
    let forbidden = FORBIDDEN.contains(&literal.to_ascii_lowercase().as_str());
    forbidden.then(|| (codes::FORBIDDEN_HEADER, format!("header '{}' cannot be set; remove it", short(name))))
}
