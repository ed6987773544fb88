//! A project keeps an owner.

use super::support::{Browser, PASSWORD, person};
use domain::role::Role;
use reqwest::Method;
use serde_json::json;
use testkit::{Answer, TestApp};

async fn remove(app: &TestApp, user: &str) -> Answer {
    app.call(Method::DELETE, &format!("/api/v1/members/{user}"), None).await
}

async fn demote(app: &TestApp, user: &str) -> Answer {
    app.patch(&format!("/api/v1/members/{user}"), json!({"member": {"role": "builder"}})).await
}

fn is_refused(answer: &Answer) -> bool {
    (answer.status, answer.body["code"].as_str()) == (409, Some("last_owner"))
}

#[tokio::test]
async fn last_owner_is_neither_removed_nor_demoted() {
    let app = TestApp::start().await;
    let ana = person(&app, "ana@example.test", Some(Role::Owner)).await.to_string();
    let bea = person(&app, "bea@example.test", Some(Role::Builder)).await.to_string();
    assert!(is_refused(&remove(&app, &ana).await) && is_refused(&demote(&app, &ana).await));
    let by_operator = app.app.operator().remove_member("ana@example.test", "Tests").await;
    assert!(by_operator.unwrap_err().to_string().contains("only owner"));
    // An invitation with a lower role would demote her as well.
    let token = app.app.operator().invite("ana@example.test", "Tests", Role::Viewer).await.unwrap();
    let path = format!("/app/api/invitations/{token}");
    assert!(is_refused(&Browser::new(&app).call("POST", &path, Some(json!({"password": PASSWORD}))).await));
    let me = Browser::signed_in(&app, "ana@example.test").await.get("/app/api/me").await;
    assert_eq!(me.data()["projects"][0]["role"], "owner");

    let owner = json!({"member": {"role": "owner"}});
    app.patch(&format!("/api/v1/members/{ana}"), owner.clone()).await.data();
    app.patch(&format!("/api/v1/members/{bea}"), owner).await.data();
    assert_eq!(demote(&app, &ana).await.status, 200);
    assert!(is_refused(&remove(&app, &bea).await));
    assert_eq!(remove(&app, &ana).await.status, 204);
}

#[tokio::test]
async fn of_two_owners_removed_at_the_same_time_one_stays() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let mut users = Vec::new();
        for name in ["ana", "bea"] {
            users.push(person(&app, &format!("{name}{round}@example.test"), Some(Role::Owner)).await.to_string());
        }
        if round > 0 {
            // The owner who stayed in the round before.
            let list = app.get("/api/v1/members").await;
            let all = list.data().as_array().unwrap();
            let left =
                all.iter().map(|member| member["id"].as_str().unwrap()).find(|id| !users.iter().any(|new| new == id));
            assert_eq!(remove(&app, left.unwrap()).await.status, 204);
        }
        let (one, other) = tokio::join!(remove(&app, &users[0]), demote(&app, &users[1]));
        let refused = [&one, &other].into_iter().filter(|answer| is_refused(answer)).count();
        assert_eq!(refused, 1, "{} {}", one.body, other.body);
        let list = app.get("/api/v1/members").await;
        for member in list.data().as_array().unwrap().iter().filter(|member| member["role"] == "builder") {
            assert_eq!(remove(&app, member["id"].as_str().unwrap()).await.status, 204);
        }
        let list = app.get("/api/v1/members").await;
        assert_eq!(list.data().as_array().unwrap().len(), 1, "{}", list.body);
    }
}
