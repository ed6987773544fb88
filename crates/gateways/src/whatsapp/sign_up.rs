//! Embedded sign-up: a business gives an app access to its account, and Meta's dialog sends a code,
//! which the app exchanges for a token of the business (docs/spec/whatsapp-cloud-api.md 2.9).

use super::{
    CallError, GraphClient,
    call::{Call, text},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

impl GraphClient {
    /// Exchanges the code of a sign-up for a token. `redirect_uri` is that of the dialog. A code can
    /// be exchanged once.
    pub async fn exchange_code(
        &self,
        app_id: &str,
        app_secret: &SecretString,
        code: &str,
        redirect_uri: &str,
    ) -> Result<SecretString, CallError> {
        // The app's own token. The body, unlike a query, is in no log of a proxy.
        let of_app = SecretString::from(format!("{app_id}|{}", app_secret.expose_secret()));
        let body = json!({"client_id": app_id, "client_secret": app_secret.expose_secret(), "code": code,
            "redirect_uri": redirect_uri, "grant_type": "authorization_code"});
        let answer = self.call(&of_app, Call::post(&["oauth", "access_token"], &body)).await?;
        text(&answer, "access_token").map(SecretString::from).ok_or_else(|| CallError::unreadable("access_token"))
    }
}
