//! Refuses requests with a cookie that another site caused: browsers add the cookie to them.
//!
//! Browsers send `Sec-Fetch-Site` to https and to this machine (W3C Fetch Metadata). Where it is
//! absent, on plain http, the `Origin` of a write must be ours.

use super::request::text;
use crate::ApiError;
use axum::http::{HeaderMap, Method};
use url::Url;

/// A request of a browser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'r> {
    pub(super) method: &'r Method,
    pub(super) headers: &'r HeaderMap,
    /// Configured base URL.
    pub(super) public_url: Option<&'r str>,
}

impl Asked<'_> {
    const fn is_read(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD)
    }

    fn site(&self) -> &str {
        text(self.headers, "sec-fetch-site")
    }

    /// True if the origin is this server: the host that was asked, or the configured one.
    fn is_own_origin(&self) -> bool {
        let Ok(origin) = Url::parse(text(self.headers, "origin")) else { return false };
        let host = |url: &Url| Some((url.host_str()?.to_owned(), url.port_or_known_default()));
        let asked = Url::parse(&format!("{}://{}", origin.scheme(), text(self.headers, "host"))).ok();
        let public = self.public_url.and_then(|url| Url::parse(url).ok());
        let of_host = asked.is_some_and(|asked| host(&asked) == host(&origin));
        of_host || public.is_some_and(|public| public.origin() == origin.origin())
    }

    /// Rule for a request with a cookie.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        if self.is_read() {
            // Browsers name the origin of a read by another site's script, such as an `EventSource`.
            let is_unknown = self.site().is_empty() && self.headers.contains_key("origin");
            let is_foreign = matches!(self.site(), "cross-site" | "same-site") || is_unknown && !self.is_own_origin();
            return allow(!is_foreign);
        }
        // A form of another site can send neither.
        let is_json = text(self.headers, "content-type").starts_with("application/json");
        let is_script = is_json || self.headers.contains_key("x-project-id");
        let is_own = if self.site().is_empty() { self.is_own_origin() } else { self.site() == "same-origin" };
        allow(is_own && is_script)
    }

    /// Rule for a write that needs no cookie and sets one, such as a sign-in: programs without
    /// `Sec-Fetch-Site` and `Origin` may send it too.
    pub(super) fn check_open(&self) -> Result<(), ApiError> {
        let is_program = self.site().is_empty() && !self.headers.contains_key("origin");
        let is_own = if self.site().is_empty() { self.is_own_origin() } else { self.site() == "same-origin" };
        allow(is_program || is_own)
    }
}

fn allow(is_own: bool) -> Result<(), ApiError> {
    let why = "a request with a session must come from a page of this server";
    if is_own { Ok(()) } else { Err(ApiError::forbidden("cross_site", "Request of another site", why)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn passes(method: Method, headers: &[(&'static str, &'static str)], open: bool) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut all: HeaderMap = headers.iter().map(pair).collect();
        all.insert("host", HeaderValue::from_static("192.0.2.7:4000"));
        let asked = Asked { method: &method, headers: &all, public_url: Some("https://chat.example/x") };
        if open { asked.check_open().is_ok() } else { asked.check().is_ok() }
    }

    #[test]
    fn reads_are_refused_only_from_other_sites() {
        for (site, expected) in [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)] {
            assert_eq!(passes(Method::GET, &[("sec-fetch-site", site)], false), expected, "{site}");
        }
        assert!(passes(Method::GET, &[], false));
        assert!(passes(Method::GET, &[("origin", "http://192.0.2.7:4000")], false));
        assert!(!passes(Method::GET, &[("origin", "http://192.0.2.7:8080")], false));
    }

    #[test]
    fn writes_need_fetch_metadata_or_our_origin_and_a_script() {
        let json = ("content-type", "application/json");
        let project = ("x-project-id", "1");
        for headers in [
            [("sec-fetch-site", "same-origin"), json],
            [("sec-fetch-site", "same-origin"), project],
            [("origin", "http://192.0.2.7:4000"), json],
            [("origin", "https://chat.example"), json],
        ] {
            assert!(passes(Method::POST, &headers, false), "{headers:?}");
        }
        for headers in [
            &[json][..],
            &[("sec-fetch-site", "none"), json],
            &[("sec-fetch-site", "same-site"), json],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://chat.example"), json],
            &[("origin", "http://192.0.2.7"), json],
            &[("origin", "http://evil.example"), json],
            &[("origin", "null"), json],
            &[("origin", "http://chat.example"), json],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-origin"), ("content-type", "text/plain")],
        ] {
            assert!(!passes(Method::POST, headers, false), "{headers:?}");
        }
    }

    #[test]
    fn sign_in_is_open_to_programs_but_not_to_other_sites() {
        assert!(passes(Method::POST, &[], true));
        assert!(passes(Method::POST, &[("origin", "http://192.0.2.7:4000")], true));
        assert!(!passes(Method::POST, &[("origin", "http://evil.example")], true));
        assert!(!passes(Method::POST, &[("sec-fetch-site", "same-site")], true));
    }
}
