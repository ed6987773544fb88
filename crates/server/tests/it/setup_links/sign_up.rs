//! Meta's embedded sign-up, with the emulator as its dialog.

use super::{Shown, browse, configs, customer, form, link, path_of, status, visit};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use server::SignUp;
use testkit::{OWN_NUMBER_ID, TestApp};

async fn start() -> TestApp {
    TestApp::with(true, |config| {
        config.sign_up = Some(SignUp {
            app_id: emulator::APP_ID.into(),
            config_id: Some("700000000000009".into()),
            dialog_base_url: config.graph_base_url.clone(),
            graph_version: "v25.0".parse().unwrap(),
        });
    })
    .await
}

/// A browser that keeps the cookie of a sign-up.
struct Browser<'a> {
    app: &'a TestApp,
    cookie: String,
}

impl Browser<'_> {
    async fn send(&self, method: Method, path: &str, body: Option<String>) -> Shown {
        let headers = [("cookie", self.cookie.as_str()), ("sec-fetch-site", "same-origin")];
        browse(self.app, method, path, &headers, body).await
    }

    /// Leaves for Meta's dialog. Returns its URL.
    async fn leave(&mut self, page: &str) -> String {
        let away = self.send(Method::POST, &format!("{page}/meta?lang=es"), Some(String::new())).await;
        assert_eq!(away.status, 303, "{}", away.html);
        let cookie = &away.headers["set-cookie"];
        assert!(cookie.contains("HttpOnly; SameSite=Lax") && cookie.contains("Max-Age=3600"), "{cookie}");
        self.cookie = cookie.split(';').next().unwrap().to_owned();
        away.headers["location"].clone()
    }

    /// Agrees in the dialog. Returns path and query to which Meta sends the browser.
    async fn agree(&self, dialog: &str) -> String {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).redirect(reqwest::redirect::Policy::none());
        let answer = http.build().unwrap().get(dialog).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        back.strip_prefix(&self.app.app.url()).unwrap().to_owned()
    }

    async fn come_back(&self, back: &str) -> Shown {
        self.send(Method::GET, back, None).await
    }
}

fn browser(app: &TestApp) -> Browser<'_> {
    Browser { app, cookie: String::new() }
}

async fn subscribed(app: &TestApp) -> Value {
    let url = format!("{}/v25.0/{}/subscribed_apps", app.emulator.url(), emulator::WABA_ID);
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let answer = http.get(url).bearer_auth(emulator::ACCESS_TOKEN).send().await.unwrap().text().await.unwrap();
    serde_json::from_str::<Value>(&answer).unwrap()["data"].clone()
}

#[tokio::test]
async fn customer_signs_up_at_meta_registers_the_number_and_returns() {
    let app = start().await;
    let unregistered = json!({"status": "PENDING"});
    app.emulator_call(Method::PATCH, &format!("/phone_numbers/{OWN_NUMBER_ID}"), Some(unregistered)).await;
    let links = customer(&app, "Clinic").await;
    let settings = json!({"success_redirect_url": "https://app.clinic.example/ok"});
    let made = app.post(&links, json!({"setup_link": settings})).await;
    let (path, id) = (path_of(made.data()), made.id());
    let page = visit(&app, &path).await;
    assert!(page.html.contains("Continue with Facebook"), "{}", page.html);
    let policy = &page.headers["content-security-policy"];
    assert!(
        policy.contains(&format!("form-action 'self' https://app.clinic.example {};", app.emulator.url())),
        "{policy}"
    );

    let mut browser = browser(&app);
    let dialog = browser.leave(&path).await;
    for part in ["/v25.0/dialog/oauth?", "response_type=code", "config_id=700000000000009", "state="] {
        assert!(dialog.contains(part), "{dialog}");
    }
    let token = path.trim_start_matches("/setup/");
    assert!(!dialog.contains(token), "the link does not go to Meta");
    let back = browser.agree(&dialog).await;
    assert!(back.starts_with("/setup/return?code="), "{back}");
    let returned = browser.come_back(&back).await;
    assert_eq!((returned.status, returned.headers["location"].clone()), (303, format!("{token}/numbers?lang=es")));

    let choice = format!("{path}/numbers");
    let numbers = browser.send(Method::GET, &format!("{choice}?lang=es"), None).await;
    assert_eq!(numbers.status, 200);
    assert!(numbers.html.contains("Elija el número") && numbers.html.contains("+1 555-090-9902"), "{}", numbers.html);
    assert!(numbers.html.contains("href=\"style.css\"") && numbers.html.contains("name=\"pin\""), "{}", numbers.html);

    let choose = async |pin: &str| {
        let fields = form(&[("phone_number_id", OWN_NUMBER_ID), ("pin", pin)]);
        browser.send(Method::POST, &choice, Some(fields)).await
    };
    let without = choose("12").await;
    assert!(without.status == 422 && without.html.contains("enter six digits"), "{}", without.html);
    let wrong = choose("999999").await;
    assert!(wrong.status == 422 && wrong.html.contains("Meta did not register the number"), "{}", wrong.html);
    assert_eq!((configs(&app).await, subscribed(&app).await), (0, json!([])));

    let done = choose("123456").await;
    let config = app.get("/api/v1/whatsapp_configs").await.data()[0].clone();
    let owner = links.split('/').nth(4).unwrap();
    let expected = format!(
        "https://app.clinic.example/ok?setup_link_id={id}&customer_id={owner}&whatsapp_config_id={}\
         &phone_number_id={OWN_NUMBER_ID}&status=degraded",
        config["id"].as_str().unwrap()
    );
    assert_eq!((done.status, done.headers["location"].clone()), (303, expected));
    let fields = ["customer_id", "business_account_id", "name"].map(|name| config[name].as_str().unwrap());
    assert_eq!(fields, [owner, emulator::WABA_ID, "Loja Exemplo"]);
    assert_eq!(subscribed(&app).await[0]["whatsapp_business_api_data"]["id"], emulator::APP_ID);

    // Meta's webhooks arrive at the app's callback, and the number is healthy.
    let inbound = json!({"from": testkit::ANA, "text": "hello", "phone_number_id": OWN_NUMBER_ID});
    app.emulator_call(Method::POST, "/inbound", Some(inbound)).await;
    app.run_until_idle().await;
    let health = app.get(&format!("/api/v1/whatsapp_configs/{}/health", config["id"].as_str().unwrap())).await;
    assert_eq!(health.body["status"], "healthy", "{}", health.body);
    assert_eq!(status(&app, &links).await, "used");
    assert_eq!(browser.send(Method::GET, &choice, None).await.status, 410);
}

#[tokio::test]
async fn wrong_code_state_or_browser_connects_nothing() {
    let app = start().await;
    let links = customer(&app, "Clinic").await;
    let path = link(&app, &links, json!({})).await;
    let mut browser = browser(&app);
    let dialog = browser.leave(&path).await;
    let back = browser.agree(&dialog).await;
    let (code, state) = back.strip_prefix("/setup/return?code=").unwrap().split_once("&state=").unwrap();

    let wrong_code = browser.come_back(&format!("/setup/return?code=AQwrong&state={state}")).await;
    assert_eq!(wrong_code.status, 422);
    // In the language of the page on which it began.
    assert!(wrong_code.html.contains("Meta no confirmó el registro"), "{}", wrong_code.html);
    assert!(wrong_code.html.contains("<form"), "one can try again");

    let token = path.trim_start_matches("/setup/");
    let stranger = Browser { app: &app, cookie: browser.cookie.replace("sign-up=", "sign-up=x") };
    let mut forged = state.to_owned();
    forged.replace_range(4..5, if &state[4..5] == "A" { "B" } else { "A" });
    for (who, path) in [
        (&stranger, back.clone()),
        (&self::browser(&app), back.clone()),
        (&browser, format!("/setup/return?code={code}&state={forged}")),
        (&browser, format!("/setup/return?code={code}")),
    ] {
        let answer = who.come_back(&path).await;
        assert!(answer.status == 422 && !answer.html.contains("<form"), "{path}: {}", answer.html);
        assert!(!answer.html.contains(token), "{}", answer.html);
    }
    let numbers = format!("{path}/numbers");
    let first = browser.send(Method::GET, &numbers, None).await;
    assert_eq!((first.status, first.headers["location"].clone()), (303, format!("../{token}?lang=en")));

    app.clock.forward(Span::from_mins(1));
    assert_eq!(browser.come_back(&back).await.status, 303);
    let again = browser.come_back(&back).await;
    assert_eq!(again.status, 422, "Meta exchanges a code once");
    app.clock.forward(Span::from_hours(1));
    assert_eq!(browser.come_back(&back).await.status, 422, "too late");
    assert_eq!((configs(&app).await, status(&app, &links).await.as_str()), (0, "active"));

    // A new link ends the sign-up of the old one.
    app.post(&links, json!({})).await.data();
    assert_eq!(browser.send(Method::GET, &numbers, None).await.status, 410);
}

#[tokio::test]
async fn customer_who_does_not_agree_returns_to_the_failure_url() {
    let app = start().await;
    let links = customer(&app, "Clinic").await;
    let settings = json!({"failure_redirect_url": "https://app.clinic.example/no"});
    let path = link(&app, &links, settings).await;
    let mut browser = browser(&app);
    let dialog = browser.leave(&path).await;
    let state = dialog.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let refused = format!("/setup/return?error=access_denied&error_reason=user_denied&state={state}");
    let away = browser.come_back(&refused).await;
    assert_eq!(away.status, 303);
    let location = &away.headers["location"];
    assert!(
        location.starts_with("https://app.clinic.example/no?") && location.ends_with("&error=cancelled"),
        "{location}"
    );

    let id = app.get(&links).await.data()[0]["id"].as_str().unwrap().to_owned();
    let without = json!({"setup_link": {"failure_redirect_url": null}});
    app.patch(&format!("{links}/{id}"), without).await.data();
    let page = browser.come_back(&refused).await;
    assert!(page.html.contains("No se conectó ningún número") && page.html.contains("<form"), "{}", page.html);
    assert_eq!(status(&app, &links).await, "active");
}

#[tokio::test]
async fn page_without_an_app_has_no_sign_up() {
    let app = TestApp::start().await;
    let path = link(&app, &customer(&app, "Clinic").await, json!({})).await;
    assert!(!visit(&app, &path).await.html.contains("Facebook"));
    for (method, path) in [(Method::POST, format!("{path}/meta")), (Method::GET, "/setup/return?code=x".into())] {
        let body = (method == Method::POST).then(String::new);
        assert_eq!(browse(&app, method, &path, &[], body).await.status, 404);
    }
}
