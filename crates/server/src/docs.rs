//! API reference at `/docs` and the document at `/openapi.json`.
//!
//! The page needs no other server: its renderer is embedded (`assets/docs/README.md`), and its
//! content policy forbids other origins. It is stored compressed, which every browser accepts.

use crate::{
    AppState, api,
    resources::{self, app, cli},
};
use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;
use utoipa_axum::router::OpenApiRouter;

/// Allows scripts and requests of this server only. Inline styles are allowed because the renderer
/// writes its colours into the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    compressed: bool,
    caching: &'static str,
}

/// Revalidated on every request.
const CHECKED: &str = "no-cache";
/// Cached forever: its name contains its version.
const FOREVER: &str = "public, max-age=31536000, immutable";

const ASSETS: [Asset; 4] = [
    Asset {
        path: "/docs",
        kind: "text/html; charset=utf-8",
        bytes: include_bytes!("../assets/docs/index.html"),
        compressed: false,
        caching: CHECKED,
    },
    Asset {
        path: "/docs/start.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../assets/docs/start.js"),
        compressed: false,
        caching: CHECKED,
    },
    Asset {
        path: "/docs/page.css",
        kind: "text/css; charset=utf-8",
        bytes: include_bytes!("../assets/docs/page.css"),
        compressed: false,
        caching: CHECKED,
    },
    Asset {
        path: "/docs/rapidoc-9.3.8.min.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../assets/docs/rapidoc-9.3.8.min.js.gz"),
        compressed: true,
        caching: FOREVER,
    },
];

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| openapi().to_string().into());

/// API routes, sorted by name, with their part of the document.
pub(crate) fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().nest("/api/v1", resources::routes()).nest("/api/cli", cli::routes())
}

/// Routes of sessions for the dashboard, with their document.
pub(crate) fn app_api() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().nest("/app/api", app::routes())
}

pub fn openapi() -> Value {
    api::document::of(&api().into_openapi())
}

/// Document of the dashboard's session routes.
pub fn app_openapi() -> Value {
    api::document::of_app(&app_api().into_openapi())
}

/// Routes of the page, its files and the document.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut routes = Router::new().route("/openapi.json", get(document));
    for asset in &ASSETS {
        routes = routes.route(asset.path, get(async |request: Request| asset.answer(&request)));
    }
    routes
}

impl Asset {
    fn answer(&'static self, request: &Request) -> Response {
        let bytes = Bytes::from_static(self.bytes);
        let mut response =
            if self.caching == CHECKED { cached(request, &tag(self.bytes), bytes) } else { bytes.into_response() };
        let headers = response.headers_mut();
        put(headers, header::CONTENT_TYPE, self.kind);
        put(headers, header::CACHE_CONTROL, self.caching);
        put(headers, header::CONTENT_SECURITY_POLICY, POLICY);
        put(headers, header::REFERRER_POLICY, "no-referrer");
        put(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if self.compressed {
            put(headers, header::CONTENT_ENCODING, "gzip");
        }
        response
    }
}

async fn document(request: Request) -> Response {
    static TAG: LazyLock<HeaderValue> = LazyLock::new(|| tag(&DOCUMENT));
    let mut response = cached(&request, &TAG, DOCUMENT.clone());
    put(response.headers_mut(), header::CONTENT_TYPE, "application/json");
    put(response.headers_mut(), header::CACHE_CONTROL, CHECKED);
    response
}

/// The bytes, or `304` if the client has them.
fn cached(request: &Request, tag: &HeaderValue, bytes: Bytes) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known == tag);
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    response.headers_mut().insert(header::ETAG, tag.clone());
    response
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let hash: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
