//! Parses and checks a user's URL.

use super::{EgressPolicy, FailureCode, Refusal, Resolver, address::refusal_of};
use std::net::{IpAddr, SocketAddr};
use url::{Host, ParseError, Url};

/// A checked URL with the only addresses that its request may connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub url: Url,
    /// In the resolver's order.
    pub addresses: Vec<SocketAddr>,
}

impl Target {
    /// True if another URL is on the same server and may receive the same credentials.
    pub(super) fn same_server(&self, other: &Url) -> bool {
        self.url.scheme() == other.scheme()
            && self.url.host() == other.host()
            && self.url.port_or_known_default() == other.port_or_known_default()
    }
}

/// The only parser of URLs: two parsers that disagree about a host would be a security hole.
pub(super) fn parse(text: &str) -> Result<Url, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(FailureCode::MissingUrl, "no URL is set"));
    }
    Url::parse(text).map_err(no_url)
}

/// A text without a host is not a URL; an unreadable host or port is blocked.
pub(super) fn no_url(error: ParseError) -> Refusal {
    let code = match error {
        ParseError::RelativeUrlWithoutBase | ParseError::EmptyHost => FailureCode::MissingUrl,
        _ => FailureCode::BlockedAddress,
    };
    Refusal::new(code, format!("not a URL: {error}"))
}

/// Checks a URL that an outside service will fetch, without resolving it. Returns the reason if it
/// cannot be public.
pub fn public_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must be an http or https URL".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or password".into());
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let local = !name.contains('.')
                || ["localhost", "local", "internal"]
                    .iter()
                    .any(|end| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.')));
            return if local { Err(format!("{name} is no public host")) } else { Ok(()) };
        }
        None => return Err("names no host".into()),
    };
    match refusal_of(address.to_canonical()) {
        Some(kind) => Err(format!("{address} is not a public address ({kind})")),
        None => Ok(()),
    }
}

pub(super) async fn check(policy: &EgressPolicy, resolver: &Resolver, url: Url) -> Result<Target, Refusal> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::blocked(format!("{} is not allowed; use https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::blocked("a URL may not hold a user or password; use a header"));
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    if policy.denies_host(&host) {
        return Err(Refusal::blocked(format!("{host} may not be reached by agents")));
    }
    // An address in the URL is not resolved, so names and addresses meet here, before the check.
    let found = match url.host() {
        Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
        Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
        Some(Host::Domain(name)) => resolve(policy, resolver, name).await?,
        None => Vec::new(),
    };
    if found.is_empty() {
        return Err(Refusal::new(FailureCode::ConnectError, format!("{host} does not resolve")));
    }
    check_addresses(policy, &url, &found).inspect_err(|refusal| {
        tracing::warn!(%host, reason = refusal.message, "egress refused");
    })?;
    let port = url.port_or_known_default().unwrap_or_default();
    let addresses = found.into_iter().map(|address| SocketAddr::new(address, port)).collect();
    Ok(Target { url, addresses })
}

async fn resolve(policy: &EgressPolicy, resolver: &Resolver, name: &str) -> Result<Vec<IpAddr>, Refusal> {
    match tokio::time::timeout(policy.limits.connect, resolver.resolve(name)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(_)) => Err(Refusal::new(FailureCode::ConnectError, format!("{name} does not resolve"))),
        Err(_) => Err(Refusal::new(FailureCode::ConnectTimeout, format!("{name} was not resolved in time"))),
    }
}

/// Refuses a name if any of its addresses is refused.
fn check_addresses(policy: &EgressPolicy, url: &Url, found: &[IpAddr]) -> Result<(), Refusal> {
    let host = url.host_str().unwrap_or_default();
    let mut all_trusted = true;
    for &address in found {
        if policy.trusts(address) {
            continue;
        }
        all_trusted = false;
        if let Some(kind) = refusal_of(address) {
            return Err(Refusal::blocked(format!("{host} is not a public address ({kind})")));
        }
    }
    if all_trusted {
        return Ok(());
    }
    if url.scheme() == "http" && !policy.allow_http {
        return Err(Refusal::blocked("http is not allowed; use https"));
    }
    let port = url.port_or_known_default().unwrap_or_default();
    if !policy.permits_port(port) {
        return Err(Refusal::blocked(format!("port {port} is not allowed")));
    }
    Ok(())
}
