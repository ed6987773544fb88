//! Help texts, usage errors and `doctor`.

use crate::program::{Home, bare, finished, json, stderr, stdout};

#[test]
fn help_lists_every_command() {
    let help = stdout(&finished(&mut bare(&["--help"])));
    for command in [
        "dev",
        "demo",
        "phone",
        "serve",
        "emulator",
        "projects",
        "keys",
        "executions",
        "login",
        "migrate",
        "backup",
        "restore",
        "doctor",
    ] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command} is missing: {help}");
    }
}

#[test]
fn every_command_has_help() {
    for command in [
        &["dev", "--help"][..],
        &["demo", "--help"],
        &["phone", "--help"],
        &["phone", "send", "--help"],
        &["phone", "tap", "--help"],
        &["phone", "file", "--help"],
        &["serve", "--help"],
        &["emulator", "--help"],
        &["projects", "create", "--help"],
        &["keys", "create", "--help"],
        &["executions", "list", "--help"],
        &["executions", "stop", "--help"],
        &["login", "approve", "--help"],
        &["migrate", "--help"],
        &["backup", "--help"],
        &["restore", "--help"],
        &["doctor", "--help"],
    ] {
        let output = finished(&mut bare(command));
        assert!(output.status.success() && stdout(&output).contains("Usage:"), "{command:?}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for wrong in [
        &["serve", "--lisen", "127.0.0.1:0"][..],
        &["serve", "--listen", "nowhere"],
        &["fly"],
        &["keys", "create"],
        &["backup"],
        &["restore"],
        &["phone", "send", "hi", "--wait", "soon"],
        &[],
    ] {
        let output = finished(&mut bare(wrong));
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(stdout(&output).is_empty() && !stderr(&output).is_empty(), "{wrong:?}");
    }
}

#[test]
fn bad_database_url_is_reported_without_password() {
    let home = Home::new();
    let output = finished(home.command(&["migrate"]).env("CHASQUI_DATABASE_URL", "mysql://ana:geheim@db/chasqui"));
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.starts_with("error: database.url: ") && error.contains("postgres://"), "{error}");
    assert!(!error.contains("geheim"), "{error}");
}

#[test]
fn unreachable_database_is_an_error() {
    let home = Home::new();
    let output = finished(&mut home.command(&["migrate", "--database", "postgres://ana:geheim@127.0.0.1:1/chasqui"]));
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.starts_with("error: database: ") && !error.contains("geheim"), "{error}");
}

#[test]
fn unknown_setting_is_refused_with_a_suggestion() {
    let home = Home::new();
    let file = home.path().join("chasqui.toml");
    std::fs::write(&file, "[server]\nlisen = \"127.0.0.1:0\"").unwrap();
    let output = home.run(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("did you mean 'server.listen'?"), "{}", stderr(&output));
}

#[test]
fn doctor_shows_origins_and_redacts_secrets() {
    let home = Home::new();
    let file = home.path().join("chasqui.toml");
    std::fs::write(&file, "[server]\npublic_url = \"https://chat.example\"").unwrap();
    let secrets = [
        ("CHASQUI_META_APP_SECRET", "app-secret-value"),
        ("CHASQUI_META_VERIFY_TOKEN", "verify-token-value"),
        ("CHASQUI_LLM_API_KEY", "llm-key-value"),
        ("CHASQUI_SANDBOX_ACCESS_TOKEN", "sandbox-token-value"),
        ("CHASQUI_MASTER_KEY", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
    ];
    let config = file.to_str().unwrap();
    for format in [&["doctor", "--config", config, "--json"][..], &["doctor", "--config", config]] {
        let output = finished(home.command(format).envs(secrets).env("CHASQUI_LLM_PROVIDER", "Rehearsal"));
        let (text, errors) = (stdout(&output), stderr(&output));
        assert!(output.status.success(), "{text}{errors}");
        for (_, secret) in secrets {
            assert!(!text.contains(secret) && !errors.contains(secret), "{secret} is shown: {text}");
        }
        for origin in ["CHASQUI_DATA_DIR", config, "CHASQUI_META_APP_SECRET", "[redacted]", "default"] {
            assert!(text.contains(origin), "{origin} is missing: {text}");
        }
    }
    let report = json(&finished(home.command(&["doctor", "--json"]).envs(secrets)));
    let settings = report["settings"].as_array().unwrap();
    let folder = settings.iter().find(|setting| setting["key"] == "server.data_dir").unwrap();
    assert_eq!(folder["origin"], "CHASQUI_DATA_DIR");
    assert_eq!(folder["value"], home.data().to_str().unwrap());
}

#[test]
fn doctor_exits_with_1_and_a_fix_for_each_failed_check() {
    let home = Home::new();
    let output = home.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let checks = report["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["ok"] == false).collect();
    assert!(!failed.is_empty() && failed.iter().all(|check| check["fix"].is_string()), "{report}");
    // Invalid settings are a failed check, not a crash.
    let output = home.run(&["doctor", "--database", "mysql://ana:geheim@db/x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("FAILED  settings") && !stdout(&output).contains("geheim"), "{}", stdout(&output));
}

#[test]
fn printed_default_configuration_is_valid() {
    let home = Home::new();
    let printed = home.run(&["doctor", "--default-config"]);
    assert!(printed.status.success());
    let file = home.path().join("chasqui.toml");
    std::fs::write(&file, &printed.stdout).unwrap();
    assert!(home.run(&["migrate", "--config", file.to_str().unwrap()]).status.success());
}

#[test]
fn doctor_names_the_end_of_the_graph_version() {
    let home = Home::new();
    let of = |version: &str| {
        let output = finished(home.command(&["doctor", "--json"]).env("CHASQUI_GRAPH_VERSION", version));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "Graph API version").unwrap()
    };
    let ended = of("v20.0");
    assert_eq!(ended["ok"], false);
    assert_eq!(ended["detail"], "v20.0: Meta ended it and answers with its oldest version");
    assert_eq!(ended["fix"], "set CHASQUI_GRAPH_VERSION to a newer version");
    assert_eq!(of("v27.0")["detail"], "v27.0: no end is announced");
    let wrong = finished(home.command(&["doctor"]).env("CHASQUI_GRAPH_VERSION", "25"));
    assert!(stdout(&wrong).contains("whatsapp.graph_version: '25' is no version"), "{}", stdout(&wrong));
}
