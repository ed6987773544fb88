//! Cookies of people who signed in. With `__Host-`, browsers take a cookie only over https or from
//! this machine, and no other host can set it.

use axum::http::{HeaderMap, HeaderValue, header};

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Holds the secret of a session.
    Session,
    /// Marks a browser in which a person has signed in before.
    Device,
    /// Binds Meta's sign-up to the browser that began it.
    SignUp,
}

impl Cookie {
    /// `secure` on https and loopback.
    pub(crate) const fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-chasqui",
            (Self::Session, false) => "chasqui",
            (Self::Device, true) => "__Host-chasqui-device",
            (Self::Device, false) => "chasqui-device",
            (Self::SignUp, true) => "__Host-chasqui-sign-up",
            (Self::SignUp, false) => "chasqui-sign-up",
        }
    }

    /// Value in a request. The first one counts, as browsers send the most specific one first.
    pub(crate) fn read(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.name(secure);
        let lists = headers.get_all(header::COOKIE).iter().filter_map(|list| list.to_str().ok());
        let mut pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// `Set-Cookie` with this value, kept for `seconds`; 0 deletes the cookie.
    pub(crate) fn set(self, value: &str, secure: bool, seconds: i64) -> Option<HeaderValue> {
        let flag = if secure { "; Secure" } else { "" };
        let name = self.name(secure);
        HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flag}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; __Host-chasqui=x; chasqui-device=d"));
        headers.append(header::COOKIE, HeaderValue::from_static("chasqui=y; chasqui=z"));
        assert_eq!(Cookie::Session.read(&headers, true), Some("x"));
        assert_eq!(Cookie::Session.read(&headers, false), Some("y"));
        assert_eq!(Cookie::Device.read(&headers, true), None);
        assert_eq!(Cookie::Device.read(&headers, false), Some("d"));
    }
}
