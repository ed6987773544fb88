//! Local stack of `dev` and `demo`: server, emulated WhatsApp and sample order service, connected
//! to each other.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use domain::chat::ModelChoice;
use emulator::{Credentials, Emulator, orders::OrderService};
use server::{App, Phone, config::Values};

use crate::{client::Control, exposure::Exposed, settings};

pub struct StackConfig {
    /// Name of the command, as the origin of the settings that it sets.
    pub command: &'static str,
    /// Settings of the server, without those that connect it to the emulator.
    pub values: Values,

    pub emulator: EmulatorChoice,
    /// The dashboard shows the emulator's phone.
    pub phone_in_page: bool,
    /// Secrets of the emulator.
    pub exposed: Exposed,
    /// Listen address of the order service.
    pub orders: SocketAddr,
}

/// Emulator that replaces Meta.
pub enum EmulatorChoice {
    /// Started in this process, at this listen address.
    Embedded(SocketAddr),
    /// Already running at this URL.
    External(String),
}

/// The running stack. Dropping it stops it at once; [`Stack::shutdown`] finishes work in progress.
pub struct Stack {
    pub app: App,
    /// Server URL from this machine.
    pub server_url: String,

    pub emulator_url: String,

    pub credentials: Credentials,

    pub orders_url: String,

    pub orders: OrderService,
    /// Settings that the server runs with.
    pub values: Values,
    emulator: Option<Emulator>,
}

impl Stack {
    /// Starts order service, emulator and server, then connects the webhooks.
    pub async fn start(plan: StackConfig) -> Result<Self> {
        let StackConfig { command, mut values, emulator, phone_in_page, exposed, orders: orders_listen } = plan;
        let Exposed { credentials, exposure } = exposed;
        let token = exposure.token.clone();
        // As the emulator: a page in a browser cannot reach it under a name of its own.
        let hosts = exposure.hosts.iter().fold("localhost".to_owned(), |all, name| format!("{all},{name}"));
        settings::set_default(&mut values, "server.hosts", hosts, command);
        let listen = settings::read(&values)?.listen;
        let orders = emulator::orders::start(orders_listen).await;
        let orders =
            orders.with_context(|| cannot_listen("the sample order service", orders_listen, "--orders-listen"))?;
        let orders_url = local_url(orders_listen.ip(), port_of(&orders.url()));
        let (emulator, emulator_url) = match emulator {
            EmulatorChoice::External(url) => (None, url.trim_end_matches('/').to_owned()),
            EmulatorChoice::Embedded(address) => {
                let started = emulator::start(emulator::Config {
                    verify_token: credentials.verify_token.clone(),
                    exposure,
                    ..emulator_config(address, listen, &credentials)
                })
                .await;
                let started = started.with_context(|| cannot_listen("the emulator", address, "--emulator-listen"))?;
                let url = local_url(address.ip(), started.port());
                (Some(started), url)
            }
        };
        settings::set_default(&mut values, "server.rate_limit_per_minute", "0", command);
        settings::set_default(&mut values, "projects.requests_per_minute", "0", command);
        point_at_emulator(&mut values, &emulator_url, &credentials, orders_listen.ip(), command);
        let mut config = settings::read(&values)?;
        if phone_in_page {
            config.phone = emulator.as_ref().map_or(Phone::Apart, |emulator| Phone::Here(emulator.control()));
        }
        let app = server::build(config).await.context("cannot start the server")?;
        if let Some(emulator) = &emulator {
            emulator.advance(app.clock_ahead_ms()).await;
        }
        let server_url = local_url(listen.ip(), app.port());
        let control = Control::new(&emulator_url, token.as_deref())?;
        let callback = format!("{server_url}/webhooks/whatsapp");
        control
            .set_callback(&callback, &credentials.verify_token)
            .await
            .context("the emulator cannot reach the server's webhook URL")?;
        if emulator.is_some() {
            control.disable_pair_rate().await?;
        }
        Ok(Self { app, server_url, emulator_url, credentials, orders_url, orders, values, emulator })
    }

    /// Note about the disabled pair rate of an embedded emulator: see
    /// [`Control::disable_pair_rate`].
    pub const fn pair_rate_note(&self) -> &'static str {
        if self.emulator.is_some() { ", without WhatsApp's limit of one message in 6 s per phone" } else { "" }
    }

    /// Stops all parts; the server finishes its work in progress.
    pub async fn shutdown(self) {
        self.app.shutdown().await;
        if let Some(emulator) = self.emulator {
            emulator.shutdown().await;
        }
    }
}

/// Settings of an embedded emulator. It keeps no state on disk and the server does, so each start
/// uses a new seed: with the same one, a new message would have the id of one that the server has
/// already processed.
fn emulator_config(listen: SocketAddr, server: SocketAddr, credentials: &Credentials) -> emulator::Config {
    let allow_remote_callback = !server.ip().is_loopback() && !server.ip().is_unspecified();
    let world = emulator::World::with_own_number().with(credentials);
    emulator::Config { listen, seed: seed(), allow_remote_callback, world, ..emulator::Config::default() }
}

fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or_default()
}

fn point_at_emulator(
    values: &mut Values,
    emulator_url: &str,
    credentials: &Credentials,
    orders: IpAddr,
    command: &str,
) {
    let decided = [
        ("whatsapp.graph_base_url", emulator_url),
        ("whatsapp.app_secret", credentials.app_secret.as_str()),
        ("whatsapp.verify_token", credentials.verify_token.as_str()),
        ("whatsapp.app_id", emulator::APP_ID),
        ("whatsapp.dialog_base_url", emulator_url),
        ("sandbox.phone_number_id", emulator::PHONE_NUMBER_ID),
        ("sandbox.phone_number", emulator::DISPLAY_PHONE_NUMBER),
        ("sandbox.access_token", credentials.token.as_str()),
    ];
    for (key, value) in decided {
        settings::set(values, key, value, command);
    }
    // The agent's order tool calls a private address, which egress rules block unless it is listed.
    let network = if orders.is_unspecified() { loopback_like(orders) } else { orders };
    let allowed = match settings::text(values, "egress.allow").trim() {
        "" => network.to_string(),
        others => format!("{others},{network}"),
    };
    settings::set(values, "egress.allow", allowed, command);
}

/// Describes the model. The rehearsal model is always labelled as no AI.
pub fn describe_model(model: &ModelChoice) -> String {
    if is_rehearsal(model) {
        "Rehearsal: an offline keyword model for trying things out, not an AI".to_owned()
    } else {
        format!("{} {}", model.provider, model.model)
    }
}

pub fn is_rehearsal(model: &ModelChoice) -> bool {
    model.provider == "Rehearsal"
}

/// URL on this machine of a server that listens on `ip`.
pub fn local_url(ip: IpAddr, port: u16) -> String {
    let ip = if ip.is_unspecified() { loopback_like(ip) } else { ip };
    format!("http://{}", SocketAddr::from((ip, port)))
}

fn loopback_like(ip: IpAddr) -> IpAddr {
    if ip.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() }
}

fn port_of(url: &str) -> u16 {
    url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default()
}

/// Error message for an address that cannot be used.
pub fn cannot_listen(what: &str, address: SocketAddr, flag: &str) -> String {
    format!("{what} cannot listen on {address}; choose another address with {flag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_address_is_reached_through_loopback() {
        assert_eq!(local_url(Ipv4Addr::UNSPECIFIED.into(), 4000), "http://127.0.0.1:4000");
        assert_eq!(local_url(Ipv6Addr::UNSPECIFIED.into(), 4000), "http://[::1]:4000");
        assert_eq!(local_url(Ipv4Addr::new(10, 0, 0, 7).into(), 4000), "http://10.0.0.7:4000");
        assert_eq!(port_of("http://[::1]:4200"), 4200);
    }

    #[test]
    fn allowed_networks_stay_allowed() {
        let mut values = settings::collect(&settings::SettingFlags::default(), None).unwrap();
        settings::set(&mut values, "egress.allow", "10.0.0.0/8", "test");
        let credentials = Credentials::well_known();
        point_at_emulator(&mut values, "http://127.0.0.1:1", &credentials, Ipv4Addr::LOCALHOST.into(), "dev");
        assert_eq!(settings::text(&values, "egress.allow"), "10.0.0.0/8,127.0.0.1");
        assert_eq!(settings::text(&values, "whatsapp.graph_base_url"), "http://127.0.0.1:1");
    }
}
