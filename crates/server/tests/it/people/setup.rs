//! The first person, and the one-time link of `dev`.

use super::support::Browser;
use serde_json::json;
use testkit::TestApp;

async fn token(app: &TestApp) -> String {
    let mut reader = app.app.context().store.read().await.unwrap();
    let stored = store::platform_settings::find(&mut reader.conn(), "setup_token").await.unwrap();
    String::from_utf8(stored.expect("a token")).unwrap()
}

#[tokio::test]
async fn setup_token_creates_the_first_operator_once() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app);
    assert_eq!(browser.get("/app/api/state").await.data()["setup_needed"], true);
    let body =
        |token: &str| json!({"token": token, "name": "Ana", "email": " Ana@Example.test", "password": "a long one 1"});
    let wrong = browser.call("POST", "/app/api/setup", Some(body("nonsense"))).await;
    assert_eq!((wrong.status, wrong.body["code"].as_str()), (401, Some("wrong_credentials")));
    let right = token(&app).await;
    let me = browser.call("POST", "/app/api/setup", Some(body(&right))).await;
    assert_eq!(me.data()["email"], "ana@example.test");
    assert_eq!((&me.data()["is_operator"], &me.data()["projects"][0]["role"]), (&json!(true), &json!("owner")));
    let state = browser.get("/app/api/state").await.data().clone();
    assert_eq!((&state["setup_needed"], &state["signed_in"]), (&json!(false), &json!(true)));
    let again = Browser::new(&app).call("POST", "/app/api/setup", Some(body(&right))).await;
    assert_eq!(again.status, 404);
    assert_eq!(Browser::new(&app).sign_in("ana@example.test", "a long one 1").await.status, 200);
    let short = json!({"token": right, "name": "Eve", "email": "eve@x", "password": "short"});
    assert_eq!(
        Browser::new(&app).call("POST", "/app/api/setup", Some(short)).await.status,
        404,
        "before the body is read"
    );
}

#[tokio::test]
async fn entry_of_dev_signs_in_once_and_is_refused_elsewhere() {
    let app = TestApp::start().await;
    let enter = async |entry: &str| {
        let browser = Browser::new(&app);
        browser.call("POST", "/app/api/session", Some(json!({"entry": entry}))).await
    };
    assert_eq!(enter("").await.status, 401, "a server without a link has no entry");
    let link = app.app.one_time_link();
    let entry = link.split_once("/app/login#entry=").unwrap().1.to_owned();
    assert_eq!(enter("0000").await.status, 401);
    assert_eq!(enter(&entry).await.data()["is_operator"], true);
    assert_eq!(enter(&entry).await.status, 401, "used");
    let older = app.app.one_time_link();
    app.app.one_time_link();
    assert_eq!(enter(older.split_once('=').unwrap().1).await.status, 401, "a new link replaces the old one");
}
