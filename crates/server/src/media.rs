//! `GET /media/{link}`: serves a message's file, whole or in part, to anyone with the link.
//!
//! The files come from strangers. So the browser may only display types that are certainly images,
//! video or audio, must not guess types, and must not run anything.

use crate::{ApiError, AppState};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use domain::ids::ProjectId;
use futures::stream;
use runtime::media::{Media, StoredFile, link, uploads::PIECE};
use serde_json::Value;
use std::ops::Range;
use store::{
    Error,
    messages::{self, MessageRow},
    projects, uploads,
};

const POLICY: &str = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox";

pub(crate) async fn serve(
    State(ctx): State<AppState>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let missing = || ApiError::NotFound("File");
    let (project, id) = link::read(&ctx, &link).ok_or_else(missing)?;
    let row = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        // The rows of a deleted project go later.
        projects::find(&mut conn, project).await?.ok_or_else(missing)?;
        messages::find(&mut conn, project, id).await?.ok_or_else(missing)?
    };
    let Some(Media::Stored(file)) = Media::of(&row) else { return Err(missing()) };
    let size = usize::try_from(file.size).unwrap_or_default();
    let (status, part) = match wanted(&headers, &file, size) {
        Wanted::All => (StatusCode::OK, 0..size),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Known => (StatusCode::NOT_MODIFIED, 0..0),
        Wanted::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
    };
    let range = match status {
        StatusCode::PARTIAL_CONTENT => Some(format!("bytes {}-{}/{size}", part.start, part.end - 1)),
        StatusCode::RANGE_NOT_SATISFIABLE => Some(format!("bytes */{size}")),
        _ => None,
    };
    let named = [
        (header::CONTENT_TYPE, file.mime_type.clone()),
        (header::CONTENT_DISPOSITION, disposition(&row, &file)),
        (header::ETAG, tag(&file)),
    ];
    let fixed = [
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, max-age=3600"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let length = (status != StatusCode::NOT_MODIFIED).then(|| [(header::CONTENT_LENGTH, part.len())]);
    let body = content(ctx, project, file, part);
    Ok((status, named, fixed, length, range.map(|range| [(header::CONTENT_RANGE, range)]), body).into_response())
}

/// Requested part of a file.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(Range<usize>),
    /// The client has the file already.
    Known,
    /// The range is outside the file.
    Nothing,
}

fn wanted(headers: &HeaderMap, file: &StoredFile, size: usize) -> Wanted {
    let given = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let tag = tag(file);
    if given(header::IF_NONE_MATCH) == Some(&tag) {
        return Wanted::Known;
    }
    match given(header::RANGE).filter(|_| given(header::IF_RANGE).is_none_or(|known| known == tag)) {
        Some(range) => part(range, size),
        None => Wanted::All,
    }
}

/// Media players request single ranges. Multiple ranges or other units get the whole file (RFC
/// 9110, 14.2).
fn part(range: &str, size: usize) -> Wanted {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Wanted::All;
    };
    let part = match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..size.min(last.saturating_add(1)),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..size,
        (Err(_), Ok(last)) if first.trim().is_empty() => size.saturating_sub(last)..size,
        _ => return Wanted::All,
    };
    if part.start < part.end { Wanted::Part(part) } else { Wanted::Nothing }
}

fn tag(file: &StoredFile) -> String {
    format!("\"{}\"", file.sha256)
}

/// File name: the original name of a document, otherwise the message id.
fn disposition(row: &MessageRow, file: &StoredFile) -> String {
    let how = if file.inline { "inline" } else { "attachment" };
    let raw: Value = row.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
    match raw.pointer("/document/filename").and_then(Value::as_str).map(crate::api::form::clean) {
        Some(name) if !name.is_empty() => format!("{how}; filename*=UTF-8''{}", encoded(&name)),
        _ => format!("{how}; filename=\"{}\"", row.id),
    }
}

/// Streams these bytes of a file in chunks.
fn content(ctx: AppState, project: ProjectId, file: StoredFile, part: Range<usize>) -> Body {
    Body::from_stream(stream::try_unfold(part, move |left| {
        let ctx = ctx.clone();
        async move {
            if left.is_empty() {
                return Ok::<_, Error>(None);
            }
            let (seq, start) = (left.start / PIECE, left.start % PIECE);
            let piece = {
                let mut reader = ctx.store.read().await?;
                let seq = i64::try_from(seq).unwrap_or(i64::MAX);
                uploads::piece(&mut reader.conn(), project, file.upload, seq).await?.map(Bytes::from)
            };
            let gone = || Error::Damaged { what: "file", why: "its bytes are gone".into() };
            let piece = piece.filter(|piece| piece.len() > start).ok_or_else(gone)?;
            let piece = piece.slice(start..piece.len().min(start + left.len()));
            let next = left.start + piece.len()..left.end;
            Ok(Some((piece, next)))
        }
    }))
}

/// Encodes an untrusted file name for a header (RFC 6266).
fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b'-' | b'_' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_cut_to_the_file() {
        for (range, expected) in [
            ("bytes=0-3", Wanted::Part(0..4)),
            ("bytes=4-", Wanted::Part(4..10)),
            ("bytes=9-99", Wanted::Part(9..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-99", Wanted::Part(0..10)),
            ("bytes=0-18446744073709551615", Wanted::Part(0..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=4-2", Wanted::All),
            ("bytes=0-1,4-5", Wanted::All),
            ("bytes=-", Wanted::All),
            ("lines=0-1", Wanted::All),
            ("bytes=a-b", Wanted::All),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Wanted::Nothing);
    }
}
