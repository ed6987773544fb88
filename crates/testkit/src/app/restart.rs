//! Start-up and restarts.

use super::TestApp;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::time::Duration;

impl TestApp {
    /// Sets the server as the receiver of WhatsApp's webhooks.
    pub(super) async fn subscribe(&self) {
        let verify_token = self.config.verify_token.as_ref().map(|token| token.expose_secret().to_owned());
        let url = format!("{}/webhooks/whatsapp", self.app.url());
        let hook = json!({"callback_url": url, "verify_token": verify_token});
        self.emulator_call(Method::PUT, "/webhooks/config", Some(hook)).await;
    }

    /// Drops the server without a shutdown and starts a new one on the same database and data
    /// folder.
    pub async fn crash_and_restart(self) -> Self {
        let Self { app, emulator, model, clock, project, key, http, config, commits, calls, _database, _data_dir } =
            self;
        drop(app);
        // The old server's tasks end at their next await, and then the lock on the folder is free.
        let mut again = server::build(config.clone()).await;
        for _ in 0..100 {
            if again.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            again = server::build(config.clone()).await;
        }
        let app = again.expect("the server starts again");
        let again =
            Self { app, emulator, model, clock, project, key, http, config, commits, calls, _database, _data_dir };
        again.subscribe().await;
        again
    }
}
