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
    let database = text(&values, "database.url");
    for check in checks.iter_mut().filter(|_| !database.is_empty()) {
        check.detail = check.detail.replace(database, &without_password(database));
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

/// Redacts the password of a database URL, before the host or in a parameter.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // Split at the last `@`: a password may contain `?` or another `@`.
    let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("[redacted]@", rest));
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let parameter = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=[redacted]"),
        _ => pair.to_owned(),
    };
    let query = query.map(|query| query.split('&').map(parameter).collect::<Vec<_>>().join("&"));
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    format!("{scheme}://{user}{address}{query}")
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
            ("sqlite:/var/lib/chasqui.db", "sqlite:/var/lib/chasqui.db"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }
}
