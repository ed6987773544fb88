//! Headers of a tool request, and the subset that follows a redirect to another host.

use domain::tool_request::ToolRequest;
use reqwest::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Set by the HTTP library, never by users. A user's `accept-encoding` would leave the response
/// compressed.
const OURS: [&str; 14] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "http2-settings",
    "accept-encoding",
];

/// The only headers that follow a redirect to another server. An allow list, because any header may
/// hold a secret.
const HARMLESS: [HeaderName; 5] = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, USER_AGENT, IDEMPOTENCY_KEY];

/// Set by the MCP client, never by users.
const OF_MCP: [&str; 6] =
    ["accept", "content-type", "mcp-session-id", "mcp-protocol-version", "last-event-id", "idempotency-key"];

pub(super) fn first(request: &ToolRequest) -> HeaderMap {
    let mut headers = configured(request);
    if request.body.is_some() && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if !headers.contains_key(IDEMPOTENCY_KEY)
        && let Some((name, value)) = idempotency_key(request)
    {
        headers.insert(name, value);
    }
    headers
}

/// Headers of every message to an MCP server, and the one that is sent with tool calls only.
pub(crate) fn for_mcp(request: &ToolRequest) -> (HeaderMap, Option<(HeaderName, HeaderValue)>) {
    let mut headers = configured(request);
    for name in OF_MCP {
        headers.remove(name);
    }
    (headers, idempotency_key(request))
}

/// Custom headers of an outgoing webhook, without those that the HTTP library sets.
pub(crate) fn for_hook(custom: &[(String, String)]) -> HeaderMap {
    let request = ToolRequest {
        method: String::from("POST"),
        url: String::new(),
        headers: custom.to_vec(),
        body: None,
        idempotency_key: String::new(),
        mcp: None,
    };
    configured(&request)
}

fn idempotency_key(request: &ToolRequest) -> Option<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_str(&request.idempotency_key).ok().filter(|value| !value.is_empty())?;
    Some((IDEMPOTENCY_KEY, value))
}

fn configured(request: &ToolRequest) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes()) else {
            tracing::warn!(header = name, "header left out: not a header name");
            continue;
        };
        let Ok(mut value) = HeaderValue::from_str(value.trim()) else {
            tracing::warn!(header = %name, "header left out: not a header value");
            continue;
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    remove_own_headers(&mut headers);
    headers
}

/// The headers that another server may see.
pub(super) fn for_other_server(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        if HARMLESS.contains(name) {
            kept.append(name, value.clone());
        }
    }
    kept
}

fn remove_own_headers(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for name in OURS.into_iter().chain(named.iter().map(String::as_str)) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> ToolRequest {
        ToolRequest {
            method: String::from("POST"),
            url: String::from("https://example.com"),
            headers: headers.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect(),
            body: Some(serde_json::json!({})),
            idempotency_key: String::from("k1"),
            mcp: None,
        }
    }

    #[test]
    fn connection_headers_of_users_are_removed() {
        let map = first(&request(&[
            ("Host", "evil"),
            ("Connection", "close, X-Secret-Hop"),
            ("X-Secret-Hop", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "0"),
            ("Expect", "100-continue"),
            ("Accept-Encoding", "br"),
            ("bad name", "x"),
            ("X-Bad", "a\u{0}b"),
            ("X-Kept", "yes"),
        ]));
        let names: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-kept", "content-type", "idempotency-key"]);
    }

    #[test]
    fn user_content_type_and_idempotency_key_win() {
        let map = first(&request(&[("content-type", "text/xml"), ("Idempotency-Key", "mine")]));
        assert_eq!(map["content-type"], "text/xml");
        assert_eq!(map["idempotency-key"], "mine");
    }

    #[test]
    fn other_server_gets_no_secrets() {
        let map = first(&request(&[
            ("Authorization", "Bearer s"),
            ("Cookie", "s"),
            ("X-Api-Key", "s"),
            ("apikey", "s"),
            ("Accept", "text/html"),
        ]));
        let kept = for_other_server(&map);
        let names: Vec<_> = kept.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["accept", "content-type", "idempotency-key"]);
    }
}
