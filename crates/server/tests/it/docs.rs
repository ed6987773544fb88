//! The API reference at `/docs` loads without any other server.

use reqwest::Method;
use testkit::TestApp;

#[tokio::test]
async fn api_reference_files_are_served_with_a_strict_content_policy() {
    let app = TestApp::start().await;
    let page = app.request(Method::GET, "/docs").send().await.unwrap();
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(policy.contains("connect-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe-eval"), "{policy}");
    let html = page.text().await.unwrap();
    for outside in ["http:", "https:", "//", "<style", "onload"] {
        assert!(!html.replace("</", "").contains(outside), "the page has {outside}");
    }
    let quoted: Vec<&str> = html.split('"').filter(|text| text.starts_with('/')).collect();
    assert!(quoted.contains(&"/openapi.json") && quoted.len() >= 4, "{quoted:?}");
    for path in quoted {
        let file = app.request(Method::GET, path).send().await.unwrap();
        assert_eq!(file.status(), 200, "{path}");
        assert!(file.headers().contains_key("cache-control"), "{path}");
        if file.headers().get("content-encoding").is_some_and(|it| it == "gzip") {
            assert!(file.bytes().await.unwrap().starts_with(&[0x1f, 0x8b]), "{path}");
        }
    }
}

#[tokio::test]
async fn unchanged_document_is_answered_304() {
    let app = TestApp::start().await;
    for path in ["/openapi.json", "/docs"] {
        let first = app.request(Method::GET, path).send().await.unwrap();
        let tag = first.headers()["etag"].clone();
        let again = app.request(Method::GET, path).header("if-none-match", tag).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.content_length()), (304, Some(0)), "{path}");
        let other = app.request(Method::GET, path).header("if-none-match", "\"x\"").send().await.unwrap();
        assert_eq!(other.status(), 200, "{path}");
    }
}
