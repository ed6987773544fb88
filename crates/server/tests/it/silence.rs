//! Each cause of a missing answer gives a log line and a metric, which
//! docs/operations.md explains.

use crate::log::Log;
use reqwest::Method;
use runtime::{
    metric_table::{METRICS, Metric, MetricKind},
    unanswered::Cause,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use testkit::{ANA, OWN_NUMBER_ID, TestApp};

fn document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md")).unwrap()
}

/// Checks the log line and the metric of one cause, and returns the line.
async fn expect(app: &TestApp, log: &Log, cause: Cause, code: &str, project: &str) -> String {
    let lines = log.lines("a contact gets no answer");
    let line =
        lines.iter().find(|line| line.contains(&format!("cause={cause}"))).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(line.contains(&format!("project={project}")), "{line}");
    let series = format!("chasqui_unanswered_total{{cause=\"{cause}\",code=\"{code}\",project=\"{project}\"}}");
    let metrics = app.metrics().await;
    assert!(metrics.contains(&series), "{series} is not in\n{metrics}");
    line.clone()
}

async fn fault(app: &TestApp, action: Value) {
    app.emulator_call(Method::POST, "/faults", Some(json!({"when": {"surface": "send"}, "do": action}))).await;
}

/// A number of the project, with an agent that answers on it.
async fn own_number(app: &TestApp, with_agent: bool) -> String {
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, config) = app.own_number().await;
    app.run_until_idle().await;
    if with_agent {
        let body = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
        app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), body).await.data();
    }
    config
}

async fn says_to(app: &TestApp, number: &str, message: Value) {
    let mut body = json!({"from": ANA, "phone_number_id": number});
    body.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    app.emulator_call(Method::POST, "/inbound", Some(body)).await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn model_that_is_down_or_refuses_the_key_is_reported_with_project_agent_and_execution() {
    for (status, code, requests) in [(503, "llm_unavailable", 2), (401, "llm_unavailable", 1)] {
        let app = TestApp::start().await;
        let (log, _guard) = Log::start();
        let agent = app.agent(json!({"name": "Plain"})).await;
        app.activate(ANA, &agent).await;
        for _ in 0..requests {
            app.model().fails(status);
        }
        app.contact_sends(ANA, "hello").await;
        app.run_until_idle().await;
        app.forward(domain::Span::from_secs(600)).await;
        let execution = app.execution(&agent).await;
        assert_eq!(execution["status"], "failed");
        let line = expect(&app, &log, Cause::ExecutionFailed, code, &app.project.to_string()).await;
        assert!(line.contains(&agent) && line.contains(execution["id"].as_str().unwrap()), "{line}");
        assert!(!line.contains(ANA) && !line.contains("hello"), "{line}");
        let over = format!("chasqui_executions_over_total{{status=\"failed\",project=\"{}\"}} 1", app.project);
        assert!(app.metrics().await.contains(&over), "{over}");
    }
}

#[tokio::test]
async fn expired_whatsapp_token_and_closed_window_are_reported() {
    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("never arrives");
    fault(&app, json!({"error": "token_expired"})).await;
    app.contact_sends(ANA, "hello").await;
    app.run_until_idle().await;
    let line = expect(&app, &log, Cause::SendFailed, "channel_auth", &app.project.to_string()).await;
    assert!(line.contains(&format!("agent={agent}")), "{line}");

    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says_when_released("too late");
    app.contact_sends(ANA, "hello").await;
    let working = app.run_until_idle();
    let late = async {
        app.model().received(1).await;
        app.clock.forward(domain::Span::from_secs(25 * 3_600));
        app.model().release();
    };
    tokio::join!(working, late);
    expect(&app, &log, Cause::SendFailed, "outside_service_window", &app.project.to_string()).await;
}

#[tokio::test]
async fn message_without_an_answer_is_reported() {
    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    let project = app.project.to_string();
    let platform = runtime::context::PLATFORM_PROJECT.to_string();
    says_to(&app, OWN_NUMBER_ID, json!({"text": "hello"})).await;
    expect(&app, &log, Cause::UnknownNumber, "text", &platform).await;

    let config = own_number(&app, false).await;
    says_to(&app, OWN_NUMBER_ID, json!({"text": "hello"})).await;
    expect(&app, &log, Cause::NoAgent, "text", &project).await;

    let off = json!({"whatsapp_config": {"inbound_processing_enabled": false}});
    app.patch(&format!("/api/v1/whatsapp_configs/{config}"), off).await.data();
    says_to(&app, OWN_NUMBER_ID, json!({"text": "hello"})).await;
    expect(&app, &log, Cause::NumberOff, "text", &project).await;
}

#[tokio::test]
async fn message_of_a_kind_that_agents_do_not_answer_is_reported() {
    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    own_number(&app, true).await;
    says_to(&app, OWN_NUMBER_ID, json!({"text": "hello", "group_id": "group-1"})).await;
    let line = expect(&app, &log, Cause::KindNotAnswered, "text", &app.project.to_string()).await;
    assert!(!line.contains("hello"), "{line}");
}

#[tokio::test]
async fn message_that_may_not_have_arrived_and_is_not_repeated_is_reported() {
    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    fault(&app, json!("drop")).await;
    let template = json!({"message": {"message_type": "template", "template_name": "hello_world"}});
    app.post(&format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages"), template).await.id();
    app.run_until_idle().await;
    app.forward(domain::Span::from_mins(30)).await;
    expect(&app, &log, Cause::SendUnconfirmed, "", &app.project.to_string()).await;
}

#[tokio::test]
async fn message_that_a_status_confirmed_before_its_settlement_is_not_reported() {
    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    let early = json!({"when": {"surface": "webhook", "event": "status"}, "do": {"status_before_response": {"ms": 0}}});
    app.emulator_call(Method::POST, "/faults", Some(early)).await;
    fault(&app, json!({"accept_then_error": "policy_block"})).await;
    let template = json!({"message": {"message_type": "template", "template_name": "hello_world"}});
    app.post(&format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages"), template).await.id();
    app.run_until_idle().await;
    app.forward(domain::Span::from_mins(30)).await;
    assert_eq!(app.chat(ANA).await.iter().filter(|message| message["content"]["name"] == "hello_world").count(), 1);
    assert_eq!(log.lines("a contact gets no answer"), Vec::<String>::new());
}

#[tokio::test]
async fn repeated_lines_are_left_out_and_counted() {
    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    own_number(&app, false).await;
    for _ in 0..5 {
        says_to(&app, OWN_NUMBER_ID, json!({"text": "hello"})).await;
    }
    assert_eq!(log.lines("cause=no_agent").len(), 1);
    app.clock.forward(domain::Span::from_secs(61));
    says_to(&app, OWN_NUMBER_ID, json!({"text": "hello"})).await;
    let lines = log.lines("cause=no_agent");
    assert!(lines.len() == 2 && lines[1].contains("left_out=4"), "{lines:?}");
}

#[tokio::test]
async fn refused_webhooks_and_handshakes_are_logged_once_a_minute_without_their_tokens() {
    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    for _ in 0..3 {
        let unsigned = app.request(Method::POST, "/webhooks/whatsapp").body("{}").send().await.unwrap();
        assert_eq!(unsigned.status(), 401);
        let forged = format!("sha256={}", "0".repeat(64));
        let forged = app.request(Method::POST, "/webhooks/whatsapp").header("x-hub-signature-256", forged).body("{}");
        assert_eq!(forged.send().await.unwrap().status(), 403);
        let guess = "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=guess-1234&hub.challenge=1";
        assert_eq!(app.request(Method::GET, guess).send().await.unwrap().status(), 403);
    }
    assert_eq!(log.lines("webhook refused").len(), 2, "one for each reason");
    let handshakes = log.lines("webhook handshake refused");
    assert!(handshakes.len() == 1 && !handshakes[0].contains("guess-1234"), "{handshakes:?}");
    let metrics = app.metrics().await;
    for series in ["chasqui_webhook_signature_failures_total", "chasqui_handshakes_total{result=\"refused\"}"] {
        assert!(metrics.contains(series), "{series}");
    }
}

#[tokio::test]
async fn due_work_and_its_age_are_measured() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain", "message_debounce_seconds": 0})).await;
    app.activate(ANA, &agent).await;
    app.contact_sends(ANA, "hello").await;
    app.clock.forward(domain::Span::from_secs(90));
    let metrics = app.metrics().await;
    assert!(metrics.contains("chasqui_queue_due{queue=\"turns\"} 1"), "{metrics}");
    let age = metrics.lines().find_map(|line| line.strip_prefix("chasqui_queue_oldest_seconds{queue=\"turns\"} "));
    assert!(age.unwrap().parse::<f64>().unwrap() >= 89.0);
    app.model().says("hello");
    app.run_until_idle().await;
    app.clock.forward(domain::Span::from_secs(6));
    assert!(app.metrics().await.contains("chasqui_queue_due{queue=\"turns\"} 0"));
}

/// Names of metrics in the source code.
fn emitted() -> BTreeSet<String> {
    fn walk(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                for start in ["metrics::counter!(", "metrics::gauge!(", "metrics::histogram!("] {
                    for part in text.split(start).skip(1) {
                        let name = part.trim_start().strip_prefix('"').expect("a literal name");
                        names.insert(name.split('"').next().unwrap().to_owned());
                    }
                }
            }
        }
    }
    let mut names = BTreeSet::new();
    for krate in ["runtime", "server", "store", "gateways", "cli", "engine"] {
        walk(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src"), &mut names);
    }
    names
}

fn row(metric: &Metric) -> String {
    let labels = if metric.labels.is_empty() { String::new() } else { format!("{{{}}}", metric.labels) };
    let kind = match metric.kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    };
    format!("| `{}{labels}` | {kind} | {} |", metric.name, metric.help)
}

#[test]
fn every_metric_has_a_row_in_the_table_and_in_the_document() {
    let table: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(emitted(), table);
    let document = document();
    let missing: Vec<String> = METRICS.iter().map(row).filter(|row| !document.contains(row)).collect();
    assert!(missing.is_empty(), "docs/operations.md lacks\n{}", missing.join("\n"));
    assert!(METRICS.iter().all(|metric| metric.name.starts_with("chasqui_") && !metric.help.is_empty()));
}

#[tokio::test]
async fn metrics_have_help_texts() {
    let app = TestApp::start().await;
    app.agent(json!({"name": "Plain"})).await;
    let metrics = app.metrics().await;
    assert!(metrics.contains("# HELP chasqui_db_commits_total committed transactions"), "{metrics}");
    for line in metrics.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(metrics.contains(&format!("# HELP {name} ")), "{name} has no help text");
    }
}

#[test]
fn every_cause_is_in_the_document() {
    let document = document();
    for cause in Cause::ALL {
        assert!(document.contains(&format!("| `{cause}` |")), "docs/operations.md lacks {cause}");
    }
}

/// Rows of the table of other failures: log lines and metrics, without labels.
const OTHER_FAILURES: [(&[&str], &[&str]); 5] = [
    (&["webhook refused"], &["chasqui_webhook_signature_failures_total"]),
    (&["webhook handshake refused"], &["chasqui_handshakes_total"]),
    (
        &["nothing can be written", "requests are answered 503", "webhook not stored"],
        &["chasqui_db_disk_full_total", "chasqui_write_failures_total"],
    ),
    (&["work parked"], &["chasqui_work_parked_total"]),
    (&[], &["chasqui_handoffs_total"]),
];

/// Texts between backticks, without the labels of a metric.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).map(|text| text.split('{').next().unwrap()).collect()
}

#[test]
fn document_names_the_causes_log_lines_and_metrics_of_the_tests_and_no_others() {
    let document = document();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let section = document.split("## Contacts without an answer").nth(1).unwrap().split("\n## ").next().unwrap();
    let (causes, others) = section.split_once("Other failures:").unwrap();
    let rows = |part: &str| part.lines().filter(|line| line.starts_with("| ")).skip(2).map(cells).collect::<Vec<_>>();
    let named: Vec<String> = rows(causes).iter().map(|row| row[1].trim_matches('`').to_owned()).collect();
    assert_eq!(named, Cause::ALL.iter().map(|cause| cause.to_string()).collect::<Vec<_>>());
    let others = rows(others);
    let named: Vec<_> = others.iter().map(|row| (quoted(&row[2]), quoted(&row[3]))).collect();
    let expected: Vec<_> = OTHER_FAILURES.iter().map(|(lines, metrics)| (lines.to_vec(), metrics.to_vec())).collect();
    assert_eq!(named, expected);
    let table: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert!(OTHER_FAILURES.iter().all(|(_, metrics)| metrics.iter().all(|metric| table.contains(metric))));
}
