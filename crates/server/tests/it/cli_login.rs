//! Sign-in of the published command lines.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use server::operator::logins::Rights;
use testkit::{Answer, TestApp};

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call_as(None, Method::POST, &format!("/api/cli/{path}"), Some(body)).await
}

async fn code(app: &TestApp) -> String {
    post(app, "auth/request", json!({})).await.body["auth_code"].as_str().unwrap().to_owned()
}

async fn exchange(app: &TestApp, code: &str) -> Answer {
    post(app, "auth/exchange", json!({"auth_code": code})).await
}

async fn token(app: &TestApp, email: &str, projects: &[String]) -> String {
    let code = code(app).await;
    let rights = if projects.is_empty() { Rights::Operator } else { Rights::Projects(projects) };
    app.app.operator().approve_login(&code, email, rights).await.unwrap();
    exchange(app, &code).await.body["token"].as_str().unwrap().to_owned()
}

async fn with_token(app: &TestApp, method: Method, path: &str, token: &str) -> Answer {
    app.call_raw(&[("x-cli-token", token)], method, &format!("/api/cli/{path}"), None).await
}

#[tokio::test]
async fn approved_code_is_exchanged_once() {
    let app = TestApp::start().await;
    let asked = post(&app, "auth/request", json!({})).await.body;
    let code = asked["code"].as_str().unwrap();
    assert_eq!([&asked["auth_code"], &asked["auth_url"]], [&asked["code"], &asked["url"]]);
    assert!(asked["url"].as_str().unwrap().ends_with(&format!("/cli/authorize/{code}")));
    let waiting = exchange(&app, code).await;
    assert_eq!(
        (waiting.status, &waiting.body["error"], &waiting.body["code"]),
        (404, &json!("Not ready"), &json!("not_ready"))
    );
    app.app.operator().approve_login(&code.to_lowercase(), "Dev@Example.test", Rights::Operator).await.unwrap();
    let token = exchange(&app, code).await.body["token"].as_str().unwrap().to_owned();
    assert_eq!(exchange(&app, code).await.status, 404, "used");
    let verdict = with_token(&app, Method::GET, "auth/verify", &token).await;
    assert_eq!((verdict.status, verdict.body), (200, json!({"valid": true, "email": "dev@example.test"})));
    assert!(app.app.operator().approve_login(code, "eve@example.test", Rights::Operator).await.is_err());
    assert_eq!(exchange(&app, "ABCDEF-ABCDEF-ABCDEF").await.status, 404, "unknown and waiting get the same answer");
    assert_eq!(post(&app, "auth/exchange", json!({})).await.status, 422);
}

#[tokio::test]
async fn codes_and_tokens_expire() {
    let app = TestApp::start().await;
    let late = code(&app).await;
    app.forward(Span::from_mins(10)).await;
    let refused = app.app.operator().approve_login(&late, "dev@example.test", Rights::Operator).await.unwrap_err();
    assert!(refused.to_string().contains("no pending sign-in for this code"), "{refused}");
    let token = token(&app, "dev@example.test", &[]).await;
    app.forward(Span::from_hours(90 * 24 - 1)).await;
    assert_eq!(with_token(&app, Method::GET, "auth/verify", &token).await.status, 200);
    app.forward(Span::from_hours(1)).await;
    assert_eq!(with_token(&app, Method::GET, "auth/verify", &token).await.status, 401);
}

/// Starts a sign-in as the client of a proxy on this machine.
async fn request_from(app: &TestApp, client: &str) -> Answer {
    app.call_raw(&[("x-forwarded-for", client)], Method::POST, "/api/cli/auth/request", None).await
}

#[tokio::test]
async fn pending_codes_are_limited_for_each_address() {
    let app = TestApp::with(true, |config| config.connections.proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    for network in ["192.0.2.1", "2001:db8::1"] {
        for _ in 0..20 {
            assert_eq!(request_from(&app, network).await.status, 200);
        }
    }
    for full in ["192.0.2.1", "2001:db8::2", "198.51.100.9, 192.0.2.1"] {
        let refused = request_from(&app, full).await;
        assert_eq!((refused.status, refused.body["code"].as_str()), (429, Some("rate_limited")), "{full}");
    }
    for other in ["192.0.2.2", "2001:db8:0:1::1"] {
        assert_eq!(request_from(&app, other).await.status, 200, "{other}: others can sign in");
    }
    app.forward(Span::from_mins(10)).await;
    assert_eq!(request_from(&app, "192.0.2.1").await.status, 200);
}

#[tokio::test]
async fn strangers_do_not_choose_the_address_that_is_limited() {
    let app = TestApp::start().await;
    for n in 0..20 {
        assert_eq!(request_from(&app, &format!("192.0.2.{n}")).await.status, 200);
    }
    assert_eq!(request_from(&app, "198.51.100.1").await.status, 429, "no proxy is trusted");
}

#[tokio::test]
async fn operator_sees_who_asked() {
    let app = TestApp::start().await;
    let ask = async |agent: &str, body: Value| {
        let headers = [("user-agent", agent), ("content-type", "application/json")];
        let asked = app.call_raw(&headers, Method::POST, "/api/cli/auth/request", Some(body.to_string())).await;
        app.app.operator().pending_login(asked.body["code"].as_str().unwrap()).await.unwrap()
    };
    let named = ask("kapso-cli/0.4.0 linux", json!({"client_name": "laptop of Ana\n\u{1b}[2J"})).await;
    assert_eq!((named.address.as_str(), named.user_agent.as_str()), ("127.0.0.1", "kapso-cli/0.4.0 linux"));
    assert_eq!((named.client.as_str(), named.at), ("laptop of Ana  [2J", app.clock.now()));
    assert_eq!(ask("kapso-cli/0.4.0 linux", json!({})).await.client, "kapso-cli");
    let long = ask(&"x".repeat(4_000), json!({"client_name": ""})).await;
    assert_eq!((long.user_agent.len(), long.client.len()), (200, 200));
    let too_long = post(&app, "auth/request", json!({"client_name": "x".repeat(201)})).await;
    assert_eq!(too_long.status, 422);
}

#[tokio::test]
async fn rights_belong_to_the_token() {
    let app = TestApp::start().await;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (own, other) = (app.project.to_string(), other.to_string());
    let first = token(&app, "ana@example.test", std::slice::from_ref(&own)).await;
    let second = token(&app, "ana@example.test", std::slice::from_ref(&other)).await;
    let all = token(&app, "ana@example.test", &[]).await;
    let third = token(&app, "ana@example.test", std::slice::from_ref(&own)).await;
    for (token, seen) in [(&first, [true, false]), (&second, [false, true]), (&all, [true; 2]), (&third, [true, false])]
    {
        for (project, seen) in [&own, &other].into_iter().zip(seen) {
            let path = format!("projects/{project}");
            assert_eq!(with_token(&app, Method::GET, &path, token).await.status, if seen { 200 } else { 404 });
            let made = with_token(&app, Method::POST, &format!("{path}/generate_api_key"), token).await;
            assert_eq!(made.status, if seen { 201 } else { 404 });
        }
        let list = with_token(&app, Method::GET, "projects", token).await;
        assert_eq!(list.data().as_array().unwrap().len(), seen.into_iter().filter(|seen| *seen).count());
    }
    with_token(&app, Method::POST, "auth/revoke", &first).await;
    assert_eq!(with_token(&app, Method::GET, &format!("projects/{own}"), &third).await.status, 200);
}

#[tokio::test]
async fn refused_approval_changes_no_user() {
    let app = TestApp::start().await;
    let (operator, own) = (app.app.operator(), [app.project.to_string()]);
    let unknown = operator.approve_login("ABCDEF-ABCDEF-ABCDEF", "ana@example.test", Rights::Operator).await;
    assert!(unknown.unwrap_err().to_string().contains("no pending sign-in"));
    let code = code(&app).await;
    let nothing = operator.approve_login(&code, "ana@example.test", Rights::Projects(&[])).await;
    assert!(nothing.unwrap_err().to_string().contains("name the projects"));
    let member = token(&app, "ana@example.test", &own).await;
    let list = with_token(&app, Method::GET, "projects", &member).await;
    assert_eq!(list.data().as_array().unwrap().len(), 1, "she did not become an operator");
}

#[tokio::test]
async fn revoked_key_is_refused_at_once() {
    let app = TestApp::start().await;
    let operator = app.app.operator();
    let other = operator.create_project("Other").await.unwrap();
    let (_, foreign) = operator.create_key("Other").await.unwrap();
    let (by_user, _) = app.key_of("ana@example.test").await;
    let keys = operator.keys(None).await.unwrap();
    let of = |text: &str| keys.iter().find(|key| text.starts_with(&format!("{}_", key.prefix))).unwrap();
    assert_eq!((of(&by_user).created_by.as_deref(), of(&by_user).project), (Some("ana@example.test"), app.project));
    assert_eq!((of(&foreign).created_by.as_deref(), of(&foreign).project_name.as_str()), (None, "Other"));
    let ids = async |project| operator.keys(project).await.unwrap().into_iter().map(|key| key.id).collect::<Vec<_>>();
    assert_eq!(ids(Some("Other")).await, [of(&foreign).id]);
    let status = async |key: &str| app.call_as(Some(key), Method::GET, "/api/v1/agents", None).await.status;
    assert_eq!(status(&foreign).await, 200);
    assert_eq!(operator.revoke_key(of(&foreign).id).await.unwrap(), (other, true));
    assert_eq!([status(&foreign).await, status(&by_user).await, status(&app.key).await], [401, 200, 200]);
    assert_eq!(operator.revoke_key(of(&foreign).id).await.unwrap(), (other, false), "a second time changes nothing");
    assert!(ids(Some("Other")).await.is_empty());
    let (context, page) = (app.app.context(), 10);
    let mut reader = context.store.read().await.unwrap();
    let (rows, _) = store::audit::list(&mut reader.conn(), other, page, 0).await.unwrap();
    let written: Vec<_> = rows.iter().map(|row| (row.actor.as_str(), row.action.as_str())).collect();
    assert_eq!(written, [("operator", "key.revoke")]);
    let absent = operator.revoke_key(domain::Id::from_uuid(uuid::Uuid::from_u128(1))).await.unwrap_err();
    assert!(absent.to_string().contains("no key"), "{absent}");
}

#[tokio::test]
async fn missing_altered_or_revoked_token_is_refused() {
    let app = TestApp::start().await;
    let token = token(&app, "dev@example.test", &[]).await;
    let last = if token.ends_with('x') { "y" } else { "x" };
    let changed = format!("{}{last}", &token[..token.len() - 1]);
    let paths = ["auth/verify", "projects", &format!("projects/{}", app.project)];
    for path in paths {
        let missing = app.call_as(None, Method::GET, &format!("/api/cli/{path}"), None).await;
        assert_eq!((missing.status, missing.body["error"].as_str()), (401, Some("Invalid or missing token")), "{path}");
        for wrong in ["nonsense", changed.as_str(), app.key.as_str()] {
            assert_eq!(with_token(&app, Method::GET, path, wrong).await.status, 401, "{path} {wrong}");
        }
        assert_eq!(with_token(&app, Method::GET, path, &token).await.status, 200, "{path}");
    }
    let as_key = app.call_as(Some(&token), Method::GET, "/api/v1/agents", None).await;
    assert_eq!(as_key.status, 401, "a token is not tied to a project");
    let revoked = with_token(&app, Method::POST, "auth/revoke", &token).await;
    assert_eq!((revoked.status, revoked.body), (200, json!({"revoked": true})));
    for path in paths {
        assert_eq!(with_token(&app, Method::GET, path, &token).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn member_gets_keys_of_their_own_projects_only() {
    let app = TestApp::start().await;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let member = token(&app, "ana@example.test", &[app.project.to_string()]).await;
    let operator = token(&app, "op@example.test", &[]).await;
    let names = async |token: &str| {
        let list = with_token(&app, Method::GET, "projects", token).await;
        let mut names: Vec<String> =
            list.data().as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(
        (names(&member).await, names(&operator).await),
        (vec!["Tests".into()], vec!["Other".into(), "Tests".into()])
    );
    for (token, project, found) in [(&member, app.project, true), (&member, other, false), (&operator, other, true)] {
        let path = format!("projects/{project}");
        assert_eq!(with_token(&app, Method::GET, &path, token).await.status, if found { 200 } else { 404 });
        let made = with_token(&app, Method::POST, &format!("{path}/generate_api_key"), token).await;
        assert_eq!(made.status, if found { 201 } else { 404 });
        if found {
            let key = made.data()["key"].as_str().unwrap();
            let own = app.call_as(Some(key), Method::GET, &format!("/api/v1/projects/{project}"), None).await;
            assert_eq!(own.data()["id"], json!(project));
        }
    }
    assert_eq!(with_token(&app, Method::GET, "projects/not-an-id", &operator).await.status, 404);
}

#[tokio::test]
async fn code_page_shows_only_the_command() {
    let app = TestApp::start().await;
    let code = code(&app).await;
    let page = app.request(Method::GET, &format!("/cli/authorize/{code}")).send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(page.text().await.unwrap().contains(&format!("chasqui login approve {code}")));
    let odd = app.call_as(None, Method::GET, "/cli/authorize/%3Cscript%3E", None).await;
    assert_eq!(odd.status, 404);
}

#[tokio::test]
async fn no_client_is_asked_to_update() {
    let app = TestApp::start().await;
    for (agent, version) in
        [("kapso-cli/0.1.5", "0.1.5"), ("kapso-cli/0.4.0 x", "0.4.0"), ("kapso-cli/<b>", "0.1.0"), ("curl", "0.1.0")]
    {
        let answer = app.call_raw(&[("user-agent", agent)], Method::GET, "/api/cli/version", None).await;
        assert_eq!(answer.body["latest_version"], version, "{agent}");
    }
}
