//! Parser for `multipart/form-data`.

use bytes::Bytes;

pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Bytes,
}

/// Splits a `multipart/form-data` body into its fields; `None` if it is malformed.
pub(crate) fn parts(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    let boundary = parameter(content_type, "boundary")?;
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut at = find(body, delimiter.as_bytes(), 0)? + delimiter.len();
    while !body.get(at..)?.starts_with(b"--") {
        let end = find(body, format!("\r\n{delimiter}").as_bytes(), at)?;
        let split = find(body, b"\r\n\r\n", at)?;
        let head = String::from_utf8_lossy(body.get(at..split)?).into_owned();
        let bytes = if split + 4 <= end { body.slice(split + 4..end) } else { return None };
        parts.push(part(&head, bytes)?);
        at = end + 2 + delimiter.len();
    }
    Some(parts)
}

fn part(head: &str, bytes: Bytes) -> Option<Part> {
    let header = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let disposition = header("content-disposition")?;
    Some(Part {
        name: parameter(disposition, "name")?.to_owned(),
        filename: parameter(disposition, "filename").map(str::to_owned),
        content_type: header("content-type").map(str::to_owned),
        bytes,
    })
}

fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let values = header.split(';').skip(1).filter_map(|pair| pair.trim().split_once('='));
    values
        .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().trim_matches('"'))
        .next()
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    // Files may be large: search for the first byte before comparing the whole needle.
    let first = *needle.first()?;
    let mut at = from;
    loop {
        at += haystack.get(at..)?.iter().position(|byte| *byte == first)?;
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}
