//! Proxies of the environment would see every address check undone and every key.

use std::process::Command;

/// A process has one environment, so the tests run once more in a process of their own.
#[test]
fn no_client_uses_a_proxy_of_the_environment() {
    let nobody = "http://127.0.0.1:9";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "egress_send::a_request_goes_out_as_configured"])
        .args(["graph::the_tracking_token_travels_with_the_message", "llm::a_question_is_asked_and_its_answer_read"])
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, nobody)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("3 passed"), "{said}");
}
