//! Streams `multipart/form-data` part by part, so that a file is never whole in memory. `multer`
//! parses the format; the limits are ours. The fields become the JSON of the same request without a
//! file.

use super::{body::Incoming, json};
use crate::ApiError;
use axum::{
    body::Body,
    http::{header, request::Parts},
};
use bytes::Bytes;
use domain::limits::BODY_VALUES;
use futures::stream;
use multer::{Field, Multipart};
use serde_json::{Map, Value};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Maximum bytes received before `multer` yields anything: it keeps the head of a part in memory.
const HEAD: usize = 1 << 20;
/// Maximum length of a field that is not a file.
const FIELD: usize = 64 * 1024;
/// Maximum number of parts.
const PARTS: usize = 1_000;
/// Maximum nesting of brackets in a name.
const DEPTH: usize = 8;

/// A form being received.
pub(crate) struct Form {
    form: Multipart<'static>,
    part: Option<Field<'static>>,
    parts: usize,
    /// Bytes received since the last yield.
    since: Arc<AtomicUsize>,
}

/// Head of a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) name: String,
    /// File name: last path component without forbidden characters.
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
}

fn broken(what: &str) -> ApiError {
    ApiError::Malformed(format!("the form is invalid: {what}"))
}

/// Maps an error of the form or of its body.
fn failed(error: multer::Error) -> ApiError {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<ApiError>() {
            Ok(own) => *own,
            Err(other) => broken(&other.to_string()),
        },
        other => broken(&other.to_string()),
    }
}

/// True if the content type is `multipart/form-data`.
pub(crate) fn is_form(parts: &Parts) -> bool {
    content_type(parts).split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("multipart/form-data"))
}

fn content_type(parts: &Parts) -> &str {
    parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl Form {
    /// Starts reading a form of at most `limit` bytes.
    pub(crate) fn open(parts: &Parts, body: Body, limit: usize) -> Result<Self, ApiError> {
        let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > limit) {
            return Err(ApiError::TooLarge(limit));
        }
        let boundary = multer::parse_boundary(content_type(parts)).map_err(failed)?;
        let since = Arc::new(AtomicUsize::new(0));
        let arriving =
            stream::try_unfold((Incoming::new(body, limit), since.clone()), |(mut body, since)| async move {
                // `multer` reads all available bytes before it yields, so it gets one chunk at a
                // time.
                tokio::task::yield_now().await;
                let Some(bytes) = body.next().await? else { return Ok::<_, ApiError>(None) };
                if since.fetch_add(bytes.len(), Ordering::Relaxed) > HEAD {
                    return Err(broken("a part's head is longer than 1 MiB"));
                }
                Ok(Some((bytes, (body, since))))
            });
        Ok(Self { form: Multipart::new(arriving, boundary), part: None, parts: 0, since })
    }

    /// Next part; `None` at the end. Skips unread content of the previous part.
    pub(crate) async fn next(&mut self) -> Result<Option<Head>, ApiError> {
        while self.piece().await?.is_some() {}
        self.part = None;
        let Some(part) = self.form.next_field().await.map_err(failed)? else { return Ok(None) };
        self.since.store(0, Ordering::Relaxed);
        self.parts += 1;
        if self.parts > PARTS {
            return Err(broken("it has more than 1,000 parts"));
        }
        let name = part.name().ok_or_else(|| broken("a part has no name"))?.to_owned();
        let filename = part.file_name().map(clean);
        let content_type = part.content_type().map(ToString::to_string);
        self.part = Some(part);
        Ok(Some(Head { name, filename, content_type }))
    }

    /// Next chunk of the part's content; `None` at its end.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, ApiError> {
        let Some(part) = &mut self.part else { return Ok(None) };
        let piece = part.chunk().await.map_err(failed)?;
        self.since.store(0, Ordering::Relaxed);
        Ok(piece)
    }

    pub(crate) async fn text(&mut self) -> Result<String, ApiError> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece().await? {
            text.extend_from_slice(&piece);
            if text.len() > FIELD {
                return Err(ApiError::TooLarge(FIELD));
            }
        }
        let text = String::from_utf8(text).map_err(|_| broken("a field is not UTF-8"))?;
        if text.contains('\0') { Err(broken("a field holds NUL")) } else { Ok(text) }
    }
}

/// Cleans a file name: last path component without forbidden characters.
pub(crate) fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(240).collect::<String>().trim().to_owned()
}

/// Builds JSON from fields with names like `message[buttons][0][title]`.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Sets a value at the place that the name describes. Each place is set once.
    pub(crate) fn put(&mut self, name: &str, value: Value) -> Result<(), ApiError> {
        let twice = || ApiError::Malformed(format!("the field {name} conflicts with an earlier field"));
        let path = path(name).ok_or_else(|| ApiError::Malformed(format!("the field name {name} cannot be read")))?;
        let mut place = &mut self.0;
        for (at, segment) in path.iter().enumerate() {
            let next = path.get(at + 1);
            let key = match segment.as_str() {
                "" => nth(place, next),
                named => named.to_owned(),
            };
            match next {
                None if place.contains_key(&key) => return Err(twice()),
                None => {
                    place.insert(key, value);
                    return Ok(());
                }
                Some(_) => {
                    let inner = place.entry(key).or_insert_with(|| Value::Object(Map::new()));
                    place = inner.as_object_mut().ok_or_else(twice)?;
                }
            }
        }
        Err(twice())
    }

    /// The complete JSON. Objects whose keys are all numbers become arrays.
    pub(crate) fn into_json(self) -> Map<String, Value> {
        self.0.into_iter().map(|(key, value)| (key, listed(value))).collect()
    }
}

/// Parses a field as JSON, or keeps it as text.
pub(crate) fn json_or_text(text: String) -> Result<Value, ApiError> {
    if text.trim_start().starts_with(['{', '[']) {
        json::parse(text.as_bytes(), BODY_VALUES)
    } else {
        Ok(Value::String(text))
    }
}

/// Splits a name: `a[b][]` is `a`, `b` and an empty segment.
fn path(name: &str) -> Option<Vec<String>> {
    let (first, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    let mut path = vec![first.to_owned()];
    while let Some(inner) = rest.strip_prefix('[') {
        let (segment, after) = inner.split_once(']')?;
        path.push(segment.to_owned());
        rest = after;
    }
    (rest.is_empty() && !first.is_empty() && path.len() <= DEPTH).then_some(path)
}

/// Index for `[]`: the next item, or the last one while it lacks the key that follows.
fn nth(list: &Map<String, Value>, next: Option<&String>) -> String {
    let count = list.len();
    let last = count.checked_sub(1).map(|last| last.to_string());
    match (last, next) {
        (Some(last), Some(next)) if list.get(&last).is_some_and(|item| item.get(next).is_none()) => last,
        _ => count.to_string(),
    }
}

fn listed(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let fields: Map<String, Value> = fields.into_iter().map(|(key, value)| (key, listed(value))).collect();
    let number = |key: &str| key.parse::<u32>().ok();
    if fields.is_empty() || !fields.keys().all(|key| number(key).is_some()) {
        return Value::Object(fields);
    }
    let mut items: Vec<(String, Value)> = fields.into_iter().collect();
    items.sort_by_key(|(key, _)| number(key));
    Value::Array(items.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use serde_json::json;

    const FORM: &str = "ignored\r\n--xx\r\nContent-Disposition: form-data; name=\"a[b]\"\r\n\r\none\r\n--xx\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"C:\\dir\\be \\\"my\\\" guest.pdf\"\r\n\
        Content-Type: application/pdf\r\n\r\n\r\n--x\r\n--xy\r\n--xx\r\ncontent-disposition: form-data; name=e\r\n\r\n\r\n--xx--\r\n";

    fn form(text: &str, size: usize) -> Form {
        let request = axum::http::Request::builder().header("content-type", "multipart/form-data; boundary=\"xx\"");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let pieces: Vec<_> =
            text.as_bytes().chunks(size).map(|piece| Ok::<_, std::convert::Infallible>(piece.to_vec())).collect();
        Form::open(&parts, Body::from_stream(stream::iter(pieces)), 10_000).unwrap()
    }

    #[tokio::test]
    async fn form_parses_equally_for_all_chunk_sizes() {
        for size in 1..FORM.len() {
            let mut form = form(FORM, size);
            let first = form.next().await.unwrap().unwrap();
            assert_eq!((first.name.as_str(), form.text().await.unwrap().as_str()), ("a[b]", "one"), "{size}");
            let file = form.next().await.unwrap().unwrap();
            assert_eq!(file.content_type.as_deref(), Some("application/pdf"));
            assert_eq!(file.filename.as_deref(), Some("be \"my\" guest.pdf"));
            let mut content = Vec::new();
            while let Some(piece) = form.piece().await.unwrap() {
                content.extend_from_slice(&piece);
            }
            assert_eq!(content, b"\r\n--x\r\n--xy", "{size}");
            let empty = form.next().await.unwrap().unwrap();
            assert_eq!((empty.name.as_str(), form.text().await.unwrap().as_str()), ("e", ""));
            assert_eq!(form.next().await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn unread_parts_are_skipped_and_truncated_forms_fail() {
        let mut whole = form(FORM, 7);
        let mut names = Vec::new();
        while let Some(part) = whole.next().await.unwrap() {
            names.push(part.name);
        }
        assert_eq!(names, ["a[b]", "file", "e"]);
        for length in [0, 20, 60, 100, FORM.len() - 6] {
            let mut cut = form(&FORM[..length], 7);
            let mut end = Ok(None);
            for _ in 0..4 {
                end = cut.next().await;
                if !matches!(end, Ok(Some(_))) {
                    break;
                }
            }
            assert!(matches!(end, Err(ApiError::Malformed(_))), "{length}: {end:?}");
        }
    }

    #[tokio::test]
    async fn large_files_and_endless_heads_are_not_kept_in_memory() {
        const PIECE: usize = 64 * 1024;
        let begin = FORM.split_once("\r\n\r\none").unwrap().0;
        for (begin, is_file) in [(format!("{begin}\r\n\r\n"), true), (begin.to_owned(), false)] {
            let taken = Arc::new(AtomicUsize::new(0));
            let counted = taken.clone();
            let more = (0..100).map(|_| Ok(vec![b'x'; PIECE]));
            let all = std::iter::once(Ok::<_, std::convert::Infallible>(begin.into_bytes())).chain(more);
            let all = all.inspect(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
            });
            let request = axum::http::Request::builder().header("content-type", "multipart/form-data; boundary=xx");
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let mut form = Form::open(&parts, Body::from_stream(stream::iter(all)), 100 << 20).unwrap();
            let head = form.next().await;
            if !is_file {
                assert!(matches!(head, Err(ApiError::Malformed(_))), "{head:?}");
                assert!(taken.load(Ordering::Relaxed) <= HEAD / PIECE + 3);
                continue;
            }
            for at in 0..50 {
                assert!(form.piece().await.unwrap().is_some_and(|piece| piece.len() <= 2 * PIECE));
                assert!(taken.load(Ordering::Relaxed) <= at + 4, "it is given on as it comes");
            }
        }
    }

    #[test]
    fn bracketed_names_build_objects_and_lists() {
        let mut fields = Fields::default();
        for (name, text) in [
            ("m[content]", "hi"),
            ("m[buttons][0][id]", "a"),
            ("m[buttons][0][title]", "A"),
            ("m[buttons][1][id]", "b"),
            ("m[rows][][id]", "x"),
            ("m[rows][][title]", "X"),
            ("m[rows][][id]", "y"),
            ("m[params][]", "1"),
            ("m[params][]", "2"),
        ] {
            fields.put(name, json!(text)).unwrap();
        }
        for bad in ["m[content]", "m[content][x]", "[x]", "m[x", "m]x[", "m[a][b][c][d][e][f][g][h]"] {
            assert!(fields.put(bad, json!("z")).is_err(), "{bad}");
        }
        let expected = json!({"m": {"content": "hi", "buttons": [{"id": "a", "title": "A"}, {"id": "b"}],
            "rows": [{"id": "x", "title": "X"}, {"id": "y"}], "params": ["1", "2"]}});
        assert_eq!(Value::Object(fields.into_json()), expected);
    }
}
