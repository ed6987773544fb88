//! `GET /audit/export`

use super::filters::AuditFilters;
use crate::{ApiError, api::Query, auth::ProjectContext};
use axum::{
    body::Body,
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::stream;
use store::audit::{self, AuditRow, Filter};
use uuid::Uuid;

/// Rows read at a time.
const PAGE: i64 = 1_000;
const HEAD: &str = "created_at,id,actor,action,target,request_id\r\n";

/// Export the writes of the project as CSV, newest first
///
/// The file has all rows that match, however many.
#[utoipa::path(
    get, path = "/audit/export", operation_id = "export_audit", tag = "Audit", params(AuditFilters),
    responses((status = 200, description = "A CSV file (RFC 4180).", body = String, content_type = "text/csv"))
)]
pub(super) async fn handle(ctx: ProjectContext, query: Query<AuditFilters>) -> Result<Response, ApiError> {
    let filter = query.0.filter();
    let first = page(&ctx, &filter, None).await?;
    let rows = stream::unfold((ctx, filter, Some(first)), |(ctx, mut filter, page_now)| async move {
        let rows = page_now?;
        let text = rows.iter().map(line).collect::<String>();
        let next = match rows.last() {
            Some(last) => {
                filter.to = Some(last.at);
                page(&ctx, &filter, Some(last.id)).await
            }
            None => return None,
        };
        match next {
            Ok(next) => Some((Ok::<_, ApiError>(Bytes::from(text)), (ctx, filter, Some(next)))),
            Err(error) => Some((Err(error), (ctx, filter, None))),
        }
    });
    let head = stream::once(async { Ok(Bytes::from_static(HEAD.as_bytes())) });
    let body = Body::from_stream(futures::StreamExt::chain(head, rows));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, body).into_response())
}

/// Rows after the one with this id, in the order of the list. Rows of its microsecond are read again
/// and left out.
async fn page(ctx: &ProjectContext, filter: &Filter, after: Option<Uuid>) -> Result<Vec<AuditRow>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let (mut rows, _) = audit::page(&mut reader.conn(), ctx.project, filter, PAGE, 0).await?;
    if let Some(at) = after.and_then(|after| rows.iter().position(|row| row.id == after)) {
        rows.drain(..=at);
    }
    Ok(rows)
}

fn line(row: &AuditRow) -> String {
    let (at, id) = (row.at.to_iso(), row.id.to_string());
    let fields = [&at, &id, &row.actor, &row.action, &row.target, &row.request_id];
    fields.map(|field| quoted(field)).join(",") + "\r\n"
}

/// A field in quotes. A program for tables would run what begins like a formula.
fn quoted(field: &str) -> String {
    let mark = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{mark}{}\"", field.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula_is_left() {
        assert_eq!(quoted("agent.update"), "\"agent.update\"");
        assert_eq!(quoted("a\"b,\r\n"), "\"a\"\"b,\r\n\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }
}
