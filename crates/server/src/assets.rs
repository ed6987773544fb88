//! The dashboard at `/app`: its page and files, embedded by `build.rs` from `assets/app`.
//!
//! Any path below `/app` is a page of the dashboard and gets `index.html`; a missing file is 404.
//! Files are stored compressed, which every browser accepts. Their names contain a hash of their
//! content, so browsers keep them.

use crate::{ApiError, AppState};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;
use url::Url;

/// Scripts, styles and requests of this server only; text never becomes markup or script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types layout";

const INDEX: &str = include_str!("../assets/app/index.html");
/// Names below `/app/` with their compressed content, sorted.
const FILES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/app.rs"));
/// Element of `index.html` that the server's own path replaces.
const BASE: &str = "<base href=\"/app/\"";
/// Folder whose file names contain a hash.
const HASHED: &str = "assets/";

/// Routes of the dashboard's pages and files.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(home))
        .route("/app", any(page))
        .route("/app/", any(page))
        .route("/app/{*path}", any(page))
}

async fn home(State(ctx): State<AppState>) -> Response {
    let target = format!("{}/app", base_path(ctx.http().public_url()));
    match HeaderValue::from_str(&target) {
        Ok(target) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, target)]).into_response(),
        Err(_) => ApiError::NoRoute.into_response(),
    }
}

async fn page(State(ctx): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let path = request.uri().path().trim_start_matches("/app").trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return Err(ApiError::NoRoute);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ApiError::Method);
    }
    let file = FILES.binary_search_by_key(&path, |(name, _)| *name).ok().and_then(|at| FILES.get(at));
    match file {
        Some((name, bytes)) => Ok(file_answer(&request, name, bytes)),
        None if path.starts_with(HASHED) => Err(ApiError::NoRoute),
        None => Ok(index_answer(&request, &base_path(ctx.http().public_url()))),
    }
}

fn file_answer(request: &Request, name: &str, bytes: &'static [u8]) -> Response {
    let caching = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = answer(request, Bytes::from_static(bytes), kind(name), caching);
    put(&mut response, header::CONTENT_ENCODING, "gzip");
    response
}

/// The page, with its address as seen by browsers.
fn index_answer(request: &Request, base: &str) -> Response {
    static PLAIN: LazyLock<Bytes> = LazyLock::new(|| Bytes::from_static(INDEX.as_bytes()));
    let page = match base {
        "" => PLAIN.clone(),
        base => INDEX.replacen(BASE, &format!("<base href=\"{base}/app/\""), 1).into(),
    };
    answer(request, page, "text/html; charset=utf-8", "no-cache")
}

/// The bytes, or `304` if the client has them.
fn answer(request: &Request, bytes: Bytes, kind: &'static str, caching: &'static str) -> Response {
    let tag = tag(&bytes);
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| *known == tag);
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    response.headers_mut().insert(header::ETAG, tag);
    put(&mut response, header::CONTENT_TYPE, kind);
    put(&mut response, header::CACHE_CONTROL, caching);
    put(&mut response, header::CONTENT_SECURITY_POLICY, POLICY);
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Path of the public URL, without a slash at its end; it is part of an attribute, so signs of HTML
/// are not taken.
fn base_path(public_url: Option<&str>) -> String {
    let path = public_url.and_then(|url| Url::parse(url).ok()).map(|url| url.path().trim_end_matches('/').to_owned());
    path.filter(|path| !path.contains(['"', '<', '>', '&'])).unwrap_or_default()
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let hash: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn put(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_the_public_url_is_that_of_the_page() {
        assert_eq!(base_path(None), "");
        assert_eq!(base_path(Some("https://chat.example/")), "");
        assert_eq!(base_path(Some("https://chat.example/x/")), "/x");
        assert!(INDEX.contains(BASE));
    }

    #[test]
    fn files_are_sorted_and_their_types_are_known() {
        assert!(FILES.is_sorted_by_key(|(name, _)| *name) && FILES.len() > 2);
        for (name, _) in FILES {
            assert_ne!(kind(name), "application/octet-stream", "{name}");
        }
    }
}
