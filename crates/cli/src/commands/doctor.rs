//! `chasqui doctor`: the effective settings, their origins, and checks.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};
use server::{
    config::Values,
    doctor::{self, Check},
    settings::{SETTINGS, Setting, default_file},
};

use crate::{
    args::DoctorArgs,
    output,
    settings::{self, text},
};

/// Exits with 1 if a check failed.
pub async fn run(args: DoctorArgs) -> Result<ExitCode> {
    if args.default_config {
        output::text_now(&default_file());
        return Ok(ExitCode::SUCCESS);
    }
    let values = settings::collect_existing(&args.settings)?;
    let mut checks = match settings::read(&values) {
        Ok(config) => doctor::check(&config).await,
        Err(error) => vec![unreadable(&error)],
    };
    for url in values.values().map(|given| given.value.as_str()).filter(|value| value.contains("://")) {
        for check in &mut checks {
            check.detail = check.detail.replace(url, &without_password(url));
        }
    }
    let ok = checks.iter().all(|check| check.ok);
    if args.json {
        output::json(&report(&values, &checks, ok))?;
    } else {
        print(&values, &checks, ok);
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Check result for settings that cannot be read; no other check can run then.
fn unreadable(error: &anyhow::Error) -> Check {
    Check { name: "settings", ok: false, detail: format!("{error:#}"), fix: Some("correct the value".to_owned()) }
}

fn report(values: &Values, checks: &[Check], ok: bool) -> Value {
    let setting = |setting: &Setting| {
        let origin = values.get(setting.key).map(|given| &given.origin);
        json!({"key": setting.key, "variable": setting.variable, "value": shown(setting, values), "origin": origin})
    };
    let check = |check: &Check| json!({"name": check.name, "ok": check.ok, "detail": check.detail, "fix": check.fix});
    json!({
        "ok": ok,
        "settings": SETTINGS.iter().map(setting).collect::<Vec<_>>(),
        "checks": checks.iter().map(check).collect::<Vec<_>>(),
    })
}

fn print(values: &Values, checks: &[Check], ok: bool) {
    output::line("Settings");
    for setting in SETTINGS {
        let origin = values.get(setting.key).map_or("default", |given| given.origin.as_str());
        let value = shown(setting, values);
        let value = if value.is_empty() { "-" } else { &value };
        output::line(format_args!("  {:<26} {value}  ({origin})", setting.key));
    }
    output::line("\nChecks");
    for check in checks {
        output::line(format_args!(
            "  {}  {:<20} {}",
            if check.ok { "ok    " } else { "FAILED" },
            check.name,
            check.detail
        ));
        if let Some(fix) = &check.fix {
            output::line(format_args!("          {:<20} fix: {fix}", ""));
        }
    }
    output::line(if ok { "\nAll checks passed." } else { "\nSome checks failed." });
}

/// Value with secrets redacted.
fn shown(setting: &Setting, values: &Values) -> String {
    let value = text(values, setting.key);
    if value.is_empty() {
        return String::new();
    }
    if setting.secret { "[redacted]".to_owned() } else { without_password(value) }
}

/// Redacts what may be a key in a URL: user and password, values of parameters, and long words of
/// the path. Of a database URL only a password may be in a parameter.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let is_database = scheme.starts_with("postgres");
    // Split at the last `@`: a password may contain `?` or another `@`.
    let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("[redacted]@", rest));
    let (rest, fragment) = rest.split_once('#').map_or((rest, ""), |(rest, _)| (rest, "#[redacted]"));
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let parameter = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if !is_database || name.to_ascii_lowercase().contains("pass") => format!("{name}=[redacted]"),
        None if !is_database && !pair.is_empty() => "[redacted]".to_owned(),
        _ => pair.to_owned(),
    };
    let query = query.map(|query| query.split('&').map(parameter).collect::<Vec<_>>().join("&"));
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    let (host, path) = address.split_once('/').map_or((address, None), |(host, path)| (host, Some(path)));
    let word = |word: &str| if is_key_like(word) { "[redacted]".to_owned() } else { word.to_owned() };
    let path =
        path.map_or(String::new(), |path| format!("/{}", path.split('/').map(word).collect::<Vec<_>>().join("/")));
    format!("{scheme}://{user}{host}{path}{query}{fragment}")
}

fn is_key_like(word: &str) -> bool {
    let has = |is: fn(&char) -> bool| word.chars().any(|letter| is(&letter));
    word.starts_with("sk-") || (word.len() >= 20 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_in_a_url_is_redacted() {
        for (url, expected) in [
            ("postgres://ana:secret@db:5432/chasqui", "postgres://[redacted]@db:5432/chasqui"),
            (
                "postgres://db/chasqui?user=ana&password=secret&ssl=on",
                "postgres://db/chasqui?user=ana&password=[redacted]&ssl=on",
            ),
            ("postgres://a:p@s?s@db/x", "postgres://[redacted]@db/x"),
            ("https://graph.facebook.com", "https://graph.facebook.com"),
            ("https://llm.example/v1?api_key=abc&debug", "https://llm.example/v1?api_key=[redacted]&[redacted]"),
            ("https://ana:geheim@llm.example/v1#abc", "https://[redacted]@llm.example/v1#[redacted]"),
            ("https://llm.example/sk-abc/v1", "https://llm.example/[redacted]/v1"),
            ("https://llm.example/0123456789abcdef0123/v1", "https://llm.example/[redacted]/v1"),
            ("sqlite:/var/lib/chasqui.db", "sqlite:/var/lib/chasqui.db"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }
}
