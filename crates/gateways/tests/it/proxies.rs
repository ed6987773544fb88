//! A proxy from the environment would bypass the address checks and receive every key.

use std::process::Command;

/// The environment belongs to the process, so the tests run again in a child process.
#[test]
fn clients_ignore_proxies_of_the_environment() {
    let proxy = "http://127.0.0.1:9";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "egress_send::request_is_sent_as_configured"])
        .args(["graph::tracking_token_is_sent_with_the_message", "llm::request_is_sent_and_response_read"])
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, proxy)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output_text.contains("3 passed"), "{output_text}");
}
