//! Handshake: a GET request that proves that the callback belongs to the caller.

use std::time::Duration;

use url::Url;

/// Asks the callback to echo a challenge. The error describes the answer that came instead.
pub(crate) async fn verify_callback(
    client: &reqwest::Client,
    callback: &Url,
    verify_token: &str,
    challenge: &str,
    timeout: Duration,
) -> Result<(), String> {
    let mut url = callback.clone();
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.verify_token", verify_token)
        .append_pair("hub.challenge", challenge);
    let answer = client.get(url).timeout(timeout).send().await;
    let answer = answer.map_err(|_| "the callback did not answer".to_owned())?;
    let status = answer.status().as_u16();
    if status != 200 {
        return Err(format!("the callback answered {status} instead of 200"));
    }
    match answer.text().await {
        Ok(body) if body == challenge => Ok(()),
        _ => Err("the callback did not echo the challenge".to_owned()),
    }
}
