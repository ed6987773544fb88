//! The server, an emulated WhatsApp and a sample order service on one machine, wired to each other: what `dev` keeps
//! running and what `demo` plays on.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use domain::chat::ModelChoice;
use emulator::{Emulator, orders::OrderService};
use server::{App, config::Values};

use crate::{
    client::Control,
    settings::{self, decide},
};

/// What is to be started, and where.
pub struct Plan {
    /// The command, named as the origin of the settings that it decides.
    pub command: &'static str,
    /// Settings of the server; those that tie it to the emulator are set here.
    pub values: Values,
    /// The emulator.
    pub emulator: EmulatorPlan,
    /// Where the order service listens.
    pub orders: SocketAddr,
}

/// Which emulator stands in for Meta.
pub enum EmulatorPlan {
    /// One in this process.
    Here(SocketAddr),
    /// One that runs apart, at this URL.
    Apart(String),
}

/// Everything, running. Dropping it stops it at once; [`Stage::shutdown`] lets it finish.
pub struct Stage {
    /// The server.
    pub app: App,
    /// Its URL from this machine.
    pub server_url: String,
    /// The emulator's URL.
    pub emulator_url: String,
    /// The order service's URL.
    pub orders_url: String,
    /// The order service.
    pub orders: OrderService,
    /// The settings that the server runs with.
    pub values: Values,
    emulator: Option<Emulator>,
}

impl Stage {
    /// Starts what the others need first: the order service, the emulator, the server, and last the webhooks.
    pub async fn start(plan: Plan) -> Result<Self> {
        let Plan { command, mut values, emulator, orders: orders_listen } = plan;
        let listen = settings::read(&values)?.listen;
        let orders = emulator::orders::start(orders_listen).await;
        let orders = orders.with_context(|| taken("the sample order service", orders_listen, "--orders-listen"))?;
        let orders_url = from_here(orders_listen.ip(), port_of(&orders.url()));
        let (emulator, emulator_url) = match emulator {
            EmulatorPlan::Apart(url) => (None, url.trim_end_matches('/').to_owned()),
            EmulatorPlan::Here(address) => {
                let started = emulator::start(emulator_config(address, listen)).await;
                let started = started.with_context(|| taken("the emulator", address, "--emulator-listen"))?;
                let url = from_here(address.ip(), started.port());
                (Some(started), url)
            }
        };
        settings::suggest(&mut values, "server.rate_limit_per_minute", "0", command);
        tie_to_emulator(&mut values, &emulator_url, orders_listen.ip(), command);
        let app = server::build(settings::read(&values)?).await.context("the server does not start")?;
        let server_url = from_here(listen.ip(), app.port());
        let control = Control::new(&emulator_url)?;
        let callback = format!("{server_url}/webhooks/whatsapp");
        control.call_back(&callback, emulator::VERIFY_TOKEN).await.context("the emulator cannot reach the server")?;
        if emulator.is_some() {
            control.lift_pair_rate().await?;
        }
        Ok(Self { app, server_url, emulator_url, orders_url, orders, values, emulator })
    }

    /// What an emulator of ours does not insist on, for people: see [`Control::lift_pair_rate`].
    pub const fn lifted_limit(&self) -> &'static str {
        if self.emulator.is_some() { ", without the limit of one message in 6 s to a phone" } else { "" }
    }

    /// Stops everything; what the server is doing may finish.
    pub async fn shutdown(self) {
        self.app.shutdown().await;
        if let Some(emulator) = self.emulator {
            emulator.shutdown().await;
        }
    }
}

/// The emulator keeps no state on disk and the server does, so each start needs ids of its own: with the same seed a
/// person's new message would have the id of one that the server has already answered.
fn emulator_config(listen: SocketAddr, server: SocketAddr) -> emulator::Config {
    let allow_remote_callback = !server.ip().is_loopback() && !server.ip().is_unspecified();
    let world = emulator::World::with_own_number();
    emulator::Config { listen, seed: seed(), allow_remote_callback, world, ..emulator::Config::default() }
}

fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or_default()
}

fn tie_to_emulator(values: &mut Values, emulator_url: &str, orders: IpAddr, command: &str) {
    let decided = [
        ("whatsapp.graph_base_url", emulator_url),
        ("whatsapp.app_secret", emulator::APP_SECRET),
        ("whatsapp.verify_token", emulator::VERIFY_TOKEN),
        ("sandbox.phone_number_id", emulator::PHONE_NUMBER_ID),
        ("sandbox.phone_number", emulator::DISPLAY_PHONE_NUMBER),
        ("sandbox.access_token", emulator::ACCESS_TOKEN),
    ];
    for (key, value) in decided {
        decide(values, key, value, command);
    }
    // The agent's order tool calls a private address, which is forbidden unless it is named.
    let network = if orders.is_unspecified() { loopback_like(orders) } else { orders };
    let allowed = match settings::text(values, "egress.allow").trim() {
        "" => network.to_string(),
        others => format!("{others},{network}"),
    };
    decide(values, "egress.allow", allowed, command);
}

/// The model in a few words; the rehearsal model is never shown without saying what it is.
pub fn describe_model(model: &ModelChoice) -> String {
    if is_rehearsal(model) {
        "Rehearsal: a keyword-driven stand-in that works offline, not an AI".to_owned()
    } else {
        format!("{} {}", model.provider, model.model)
    }
}

/// Whether the built-in stand-in answers.
pub fn is_rehearsal(model: &ModelChoice) -> bool {
    model.provider == "Rehearsal"
}

/// The URL under which this machine reaches something that listens on `ip`.
pub fn from_here(ip: IpAddr, port: u16) -> String {
    let ip = if ip.is_unspecified() { loopback_like(ip) } else { ip };
    format!("http://{}", SocketAddr::from((ip, port)))
}

fn loopback_like(ip: IpAddr) -> IpAddr {
    if ip.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() }
}

fn port_of(url: &str) -> u16 {
    url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default()
}

/// What to say when something cannot listen.
pub fn taken(what: &str, address: SocketAddr, flag: &str) -> String {
    format!("{what} cannot listen on {address}; choose another address with {flag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_all_networks_is_reached_through_this_machine() {
        assert_eq!(from_here(Ipv4Addr::UNSPECIFIED.into(), 4000), "http://127.0.0.1:4000");
        assert_eq!(from_here(Ipv6Addr::UNSPECIFIED.into(), 4000), "http://[::1]:4000");
        assert_eq!(from_here(Ipv4Addr::new(10, 0, 0, 7).into(), 4000), "http://10.0.0.7:4000");
        assert_eq!(port_of("http://[::1]:4200"), 4200);
    }

    #[test]
    fn networks_that_were_allowed_stay_allowed() {
        let mut values = settings::collect(&settings::SettingFlags::default(), None).unwrap();
        decide(&mut values, "egress.allow", "10.0.0.0/8", "test");
        tie_to_emulator(&mut values, "http://127.0.0.1:1", Ipv4Addr::LOCALHOST.into(), "dev");
        assert_eq!(settings::text(&values, "egress.allow"), "10.0.0.0/8,127.0.0.1");
        assert_eq!(settings::text(&values, "whatsapp.graph_base_url"), "http://127.0.0.1:1");
    }
}
