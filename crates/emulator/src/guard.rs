//! Refuses requests of web pages, and of strangers when the emulator can be reached from other
//! machines.
//!
//! A page of any site can send requests to this machine. Its requests name the page's origin, or,
//! after the page's host name was pointed here, that host name.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{config::Exposure, control::ControlError};

/// Paths that need the token.
const CONTROL: &str = "/_emulator/v1/";

pub(crate) async fn check(State(exposure): State<Arc<Exposure>>, request: Request, next: Next) -> Response {
    let is_control = request.uri().path().starts_with(CONTROL);
    if let Some(refusal) = refusal(&exposure, request.headers(), is_control) {
        return refusal.into_response();
    }
    let mut response = next.run(request).await;
    if is_control {
        let headers = response.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

fn refusal(exposure: &Exposure, headers: &HeaderMap, is_control: bool) -> Option<ControlError> {
    // Only programs that are no browsers leave it out.
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    if host.is_some_and(|host| !is_own(host, &exposure.hosts)) {
        return Some(ControlError::forbidden("this Host is not allowed; name it with --expose=NAME"));
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let from = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        if from.is_none() || from != host {
            return Some(ControlError::forbidden("web pages of other origins may not use the emulator"));
        }
    }
    let token = exposure.token.as_ref().filter(|_| is_control)?;
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match given {
        Some(given) if is_equal(given, token) => None,
        _ => Some(ControlError::unauthorized("the control API needs the emulator's token as bearer token")),
    }
}

/// True for an address, `localhost` and our names, with or without a port.
fn is_own(host: &str, names: &[String]) -> bool {
    let has_port = |(_, port): &(&str, &str)| port.parse::<u16>().is_ok();
    let name = host.rsplit_once(':').filter(has_port).map_or(host, |(name, _)| name);
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let ours = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    bare.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost") || ours(name)
}

/// Compares in a time that does not depend on the first difference.
fn is_equal(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        let names = ["emulator".to_owned()];
        for host in ["127.0.0.1:4100", "[::1]:4100", "192.0.2.7", "localhost:1", "Emulator:4100"] {
            assert!(is_own(host, &names), "{host}");
        }
        for host in ["", "evil.example", "evil.example:4100", "localhost.evil.example", "127.0.0.1.evil.example:4100"] {
            assert!(!is_own(host, &names), "{host}");
        }
        assert!(!is_own("emulator:4100", &[]));
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(is_equal("abc", "abc") && !is_equal("abc", "abcd") && !is_equal("", "a") && !is_equal("abd", "abc"));
    }
}
