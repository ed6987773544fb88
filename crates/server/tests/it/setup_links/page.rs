//! Content of the page, its refusals and its headers.

use super::{browse, customer, form, link, path_of, right, send, visit};
use domain::Span;
use reqwest::Method;
use serde_json::json;
use testkit::TestApp;

#[tokio::test]
async fn page_has_no_scripts_and_loads_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    let links = customer(&app, r#""><script src=//evil.example>"#).await;
    let name = json!({"project": {"name": "<img src=x onerror=alert(1)>"}});
    app.patch(&format!("/api/v1/projects/{}", app.project), name).await.data();
    let settings =
        json!({"theme_config": {"primary_color": "#123ABC"}, "success_redirect_url": "https://app.clinic.example/ok"});
    let path = link(&app, &links, settings).await;
    let page = visit(&app, &path).await;
    assert_eq!((page.status, page.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.html.contains("&quot;&gt;&lt;script src=//evil.example&gt;"), "{}", page.html);
    assert!(page.html.contains("&lt;img src=x onerror=alert(1)&gt;"), "{}", page.html);
    for never in ["<script", "<img", "<iframe", "style=", "http:", "https:", " onclick"] {
        assert!(!page.html.contains(never), "{never}: {}", page.html);
    }
    let policy = "default-src 'none'; style-src 'self'; form-action 'self' https://app.clinic.example; base-uri 'none'; \
                  frame-ancestors 'none'";
    assert_eq!(page.headers["content-security-policy"], policy);
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["referrer-policy"], "same-origin");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert!(!page.headers.contains_key("set-cookie"));

    let token = path.trim_start_matches("/setup/");
    assert!(page.html.contains(&format!("href=\"{token}/style.css\"")), "{}", page.html);
    let style = visit(&app, &format!("{path}/style.css")).await;
    assert_eq!((style.status, style.headers["content-type"].as_str()), (200, "text/css; charset=utf-8"));
    assert!(style.html.contains("--primary: #123ABC;") && style.html.contains("--text: #1b201e;"), "{}", style.html);
    assert!(!style.html.contains("url(") && !style.html.contains("@import"));

    // What a person enters comes back as text.
    let fields = [("name", "<b>Desk</b>"), ("phone_number_id", "\"><b>"), ("access_token", "EAAsecret")];
    let wrong = browse(&app, Method::POST, &path, &[], Some(form(&fields))).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.html.contains("value=\"&lt;b&gt;Desk&lt;/b&gt;\"") && !wrong.html.contains("<b>"), "{}", wrong.html);
    assert!(!wrong.html.contains("EAAsecret"), "tokens are not shown again");
}

#[tokio::test]
async fn page_speaks_three_languages() {
    let app = TestApp::start().await;
    let path = link(&app, &customer(&app, "Clinic").await, json!({})).await;
    let texts = [
        ("en", "Connect a WhatsApp number"),
        ("es", "Conectar un número de WhatsApp"),
        ("pt", "Conectar um número do WhatsApp"),
    ];
    for (code, title) in texts {
        let by_header = browse(&app, Method::GET, &path, &[("accept-language", code)], None).await;
        let by_link =
            browse(&app, Method::GET, &format!("{path}?lang={code}"), &[("accept-language", "de")], None).await;
        for page in [by_header, by_link] {
            assert!(
                page.html.contains(&format!("<html lang=\"{code}\">")) && page.html.contains(title),
                "{}",
                page.html
            );
        }
    }
}

#[tokio::test]
async fn unknown_expired_revoked_and_used_links_show_no_form() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let failure = json!({"failure_redirect_url": "https://app.clinic.example/no?a=1#top"});
    let made = app.post(&links, json!({"setup_link": failure})).await;
    let (id, path) = (made.id(), path_of(made.data()));
    let change = async |change| app.patch(&format!("{links}/{id}"), json!({"setup_link": change})).await.data().clone();

    let open = visit(&app, &path).await;
    let customer = links.split('/').nth(4).unwrap();
    let away = format!(
        "https://app.clinic.example/no?a=1&amp;setup_link_id={id}&amp;customer_id={customer}&amp;error=cancelled#top"
    );
    assert!(open.html.contains(&away), "{}", open.html);

    // Each character of the token counts.
    let mut wrong = vec!["/setup/x".to_owned(), format!("{path}A"), format!("/setup/{}", "A".repeat(64))];
    for at in [7, 28, 50, 70] {
        let mut bytes = path.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        wrong.push(String::from_utf8(bytes).unwrap());
    }
    for wrong in wrong {
        for page in [visit(&app, &wrong).await, send(&app, &wrong).await] {
            assert_eq!(page.status, 404, "{wrong}");
            assert!(page.html.contains("does not exist") && !page.html.contains("<form"), "{}", page.html);
        }
        app.clock.forward(Span::from_secs(60));
    }

    let ended = async |words: &str, error: Option<&str>| {
        for page in [visit(&app, &path).await, send(&app, &path).await] {
            assert_eq!(page.status, 410, "{words}");
            assert!(page.html.contains(words) && !page.html.contains("<form"), "{}", page.html);
            assert_eq!(page.html.contains("app.clinic.example"), error.is_some(), "{}", page.html);
            assert!(error.is_none_or(|error| page.html.contains(&format!("error={error}"))), "{}", page.html);
        }
    };
    change(json!({"status": "revoked"})).await;
    ended("no longer valid", Some("revoked")).await;
    change(json!({"status": "active"})).await;
    app.clock.forward(Span::from_hours(30 * 24));
    ended("has expired", Some("expired")).await;
    let later = (app.clock.now() + Span::from_hours(1)).to_iso();
    change(json!({"expires_at": later})).await;

    let project = format!("/api/v1/projects/{}", app.project);
    app.patch(&project, json!({"project": {"archived": true}})).await.data();
    ended("no longer valid", Some("revoked")).await;
    app.patch(&project, json!({"project": {"archived": false}})).await.data();
    assert_eq!(super::configs(&app).await, 0, "nothing was connected");

    assert_eq!(send(&app, &path).await.status, 200);
    ended("has been used", None).await;
    assert_eq!(super::configs(&app).await, 1);
    let refused = app.patch(&format!("{links}/{id}"), json!({"setup_link": {"status": "active"}})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("link_used")));
}

#[tokio::test]
async fn forms_of_other_sites_and_too_many_forms_are_refused() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let path = link(&app, &links, json!({})).await;
    let site = ("sec-fetch-site", "cross-site");
    for mark in [site, ("sec-fetch-site", "same-site"), ("origin", "http://evil.example"), ("origin", "null")] {
        let answer = browse(&app, Method::POST, &path, &[mark], Some(form(&right()))).await;
        assert_eq!(answer.status, 403, "{mark:?}");
    }
    // Links in messages open from other sites.
    assert_eq!(browse(&app, Method::GET, &path, &[site], None).await.status, 200);
    let kind = browse(&app, Method::POST, &path, &[("content-type", "application/json")], None).await;
    assert_eq!(kind.status, 400);
    let large = browse(&app, Method::POST, &path, &[], Some("x".repeat(20_000))).await;
    assert_eq!(large.status, 413);

    app.clock.forward(Span::from_secs(60));
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(browse(&app, Method::POST, &path, &[], Some(form(&[]))).await);
    }
    assert!(statuses[..10].iter().all(|page| page.status == 422));
    let last = &statuses[10];
    assert_eq!(last.status, 429);
    assert!(last.html.contains("Too many attempts") && last.headers["retry-after"].parse::<u32>().unwrap() <= 60);
    assert_eq!(visit(&app, &path).await.status, 200, "the page is still shown");
    app.clock.forward(Span::from_secs(60));
    assert_eq!(send(&app, &path).await.status, 200);

    let mut shown = Vec::new();
    for _ in 0..61 {
        shown.push(visit(&app, "/setup/unknown").await.status);
    }
    assert_eq!((shown[59], shown[60]), (404, 429));
}
