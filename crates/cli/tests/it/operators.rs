//! Operator commands: projects, keys, sign-ins and the server.

use std::time::Duration;

use crate::program::{Home, get, json, post, stderr, stdout};

const START_LIMIT: Duration = Duration::from_secs(10);

#[test]
fn key_created_by_command_works_with_the_api() {
    let home = Home::new();
    let project = json(&home.run(&["projects", "create", "Bakery", "--json"]));
    let by_name = json(&home.run(&["keys", "create", "--project", "Bakery", "--json"]));
    assert_eq!(by_name["project_id"], project["project_id"]);
    assert_ne!(by_name["api_key"], project["api_key"]);

    let mut server = home.start(&["serve", "--listen", "127.0.0.1:0"]);
    let url = server.value_after("Chasqui listens on ", START_LIMIT);
    let id = project["project_id"].as_str().unwrap();
    let while_running = json(&home.run(&["keys", "create", "--project", id, "--json"]));
    for key in [&project, &by_name, &while_running] {
        let (status, agents) = get(&format!("{url}/api/v1/agents"), key["api_key"].as_str().unwrap());
        assert_eq!((status, agents["data"].as_array().map(Vec::len)), (200, Some(0)), "{agents}");
    }
    assert_eq!(get(&format!("{url}/api/v1/agents"), "chq_unknown").0, 401);
    assert!(server.terminates(), "the server must stop with success");
}

#[test]
fn listed_key_can_be_revoked_with_and_without_a_server() {
    let home = Home::new();
    let first = json(&home.run(&["projects", "create", "Bakery", "--json"]));
    let second = json(&home.run(&["keys", "create", "--project", "Bakery", "--json"]));
    assert!(home.run(&["projects", "create", "Other"]).status.success());
    let list = |arguments: &[&str]| json(&home.run(&[&["keys", "list", "--json"], arguments].concat()))["data"].clone();
    assert_eq!(list(&[]).as_array().map(Vec::len), Some(3));
    let keys = list(&["--project", "Bakery"]);
    let id = |key: &serde_json::Value| {
        let text = key["api_key"].as_str().unwrap();
        let found = keys.as_array().unwrap().iter().find(|row| text.starts_with(row["prefix"].as_str().unwrap()));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let shown = stdout(&home.run(&["keys", "list"]));
    assert!(shown.contains(&id(&first)) && !shown.contains(first["api_key"].as_str().unwrap()), "{shown}");
    assert_eq!(json(&home.run(&["keys", "revoke", &id(&first), "--json"]))["revoked_before"], false);

    let mut server = home.start(&["serve", "--listen", "127.0.0.1:0"]);
    let url = server.value_after("Chasqui listens on ", START_LIMIT);
    let status = |key: &serde_json::Value| get(&format!("{url}/api/v1/agents"), key["api_key"].as_str().unwrap()).0;
    assert_eq!([status(&first), status(&second)], [401, 200]);
    assert!(stdout(&home.run(&["keys", "revoke", &id(&second)])).contains("is revoked"));
    assert_eq!(status(&second), 401);
    assert_eq!(list(&["--project", "Bakery"]), serde_json::json!([]));
    for wrong in ["nonsense", "0197a1b2-0000-7000-8000-000000000001"] {
        let refused = home.run(&["keys", "revoke", wrong]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(stderr(&refused).contains("chasqui keys list"), "{}", stderr(&refused));
    }
    assert!(server.terminates(), "the server must stop with success");
}

#[test]
fn rotated_key_stays_valid_for_the_overlap_and_the_list_shows_role_and_expiry() {
    let home = Home::new();
    assert!(home.run(&["projects", "create", "Bakery"]).status.success());
    let create = [
        "keys",
        "create",
        "--project",
        "Bakery",
        "--name",
        "shop",
        "--role",
        "builder",
        "--expires-in-days",
        "90",
        "--json",
    ];
    let old = json(&home.run(&create))["api_key"].as_str().unwrap().to_owned();
    let list =
        || json(&home.run(&["keys", "list", "--project", "Bakery", "--json"]))["data"].as_array().unwrap().clone();
    let of = |key: &str| list().into_iter().find(|row| key.starts_with(row["prefix"].as_str().unwrap())).unwrap();
    let row = of(&old);
    assert_eq!(
        (&row["name"], &row["role"], &row["last_used_at"]),
        (&"shop".into(), &"builder".into(), &serde_json::Value::Null)
    );
    assert!(row["expires_at"].is_i64());
    let mut server = home.start(&["serve", "--listen", "127.0.0.1:0"]);
    let url = server.value_after("Chasqui listens on ", START_LIMIT);
    let status = |key: &str| get(&format!("{url}/api/v1/agents"), key).0;
    let rotate = |key: &str, hours: &str| {
        let id = of(key)["id"].as_str().unwrap().to_owned();
        json(&home.run(&["keys", "rotate", &id, "--overlap-hours", hours, "--json"]))["api_key"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let new = rotate(&old, "1");
    assert_eq!([status(&old), status(&new)], [200, 200]);
    assert_eq!((&of(&new)["role"], &of(&new)["name"]), (&"builder".into(), &"shop".into()));
    assert!(of(&old)["expires_at"].as_i64() < of(&new)["expires_at"].as_i64());
    let last = rotate(&new, "0");
    assert_eq!([status(&new), status(&last)], [401, 200]);
    let shown = stdout(&home.run(&["keys", "list"]));
    assert!(
        shown.contains("  builder  ") && shown.contains("  all rights  ") && shown.contains("  expires never  "),
        "{shown}"
    );
    assert!(!shown.contains(&last), "no secrets");
    assert!(server.terminates(), "the server must stop with success");
}

#[test]
fn project_is_deleted_by_command_with_its_typed_name() {
    let home = Home::new();
    let project = json(&home.run(&["projects", "create", "Bakery", "--json"]));
    assert!(home.run(&["projects", "create", "Other"]).status.success());
    let (id, key) = (project["project_id"].as_str().unwrap(), project["api_key"].as_str().unwrap());
    let mut server = home.start(&["serve", "--listen", "127.0.0.1:0"]);
    let url = server.value_after("Chasqui listens on ", START_LIMIT);
    let refused = home.run(&["projects", "delete", id, "--name", "bakery"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("not called 'bakery'"), "{}", stderr(&refused));
    assert_eq!(get(&format!("{url}/api/v1/agents"), key).0, 200);
    assert_eq!(home.run(&["projects", "delete", id]).status.code(), Some(2), "without the name");
    assert_eq!(json(&home.run(&["projects", "delete", id, "--name", "Bakery", "--json"]))["deleted"], true);
    assert_eq!(get(&format!("{url}/api/v1/agents"), key).0, 401);
    let list = stdout(&home.run(&["projects", "list"]));
    assert!(list.contains("Other") && !list.contains("Bakery"), "{list}");
    let deleted = json(&home.run(&["projects", "list", "--deleted", "--json"]));
    assert_eq!((deleted["data"][0]["id"].as_str(), &deleted["data"][0]["deleted_by"]), (Some(id), &"operator".into()));
    assert_eq!(home.run(&["projects", "delete", id, "--name", "Bakery"]).status.code(), Some(1), "it is gone");
    let (runtime, project) = (tokio::runtime::Runtime::new().unwrap(), id.parse().unwrap());
    let began = std::time::Instant::now();
    while !runtime.block_on(testkit::database::rows_of(&home.database(), project)).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "rows are left");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(server.terminates(), "the server must stop with success");
}

#[test]
fn approved_login_code_can_be_exchanged_for_a_token() {
    let home = Home::new();
    assert!(home.run(&["projects", "create", "Bakery"]).status.success());
    let mut server = home.start(&["serve", "--listen", "127.0.0.1:0"]);
    let url = server.value_after("Chasqui listens on ", START_LIMIT);
    let (_, asked) = post(&format!("{url}/api/cli/auth/request"), &serde_json::json!({}));
    let code = asked["code"].as_str().unwrap();
    let exchange = || post(&format!("{url}/api/cli/auth/exchange"), &serde_json::json!({"auth_code": code}));
    assert_eq!(exchange().0, 404);
    let without_rights = home.run(&["login", "approve", code, "--email", "ana@example.com"]);
    assert_eq!(without_rights.status.code(), Some(2));
    assert!(stderr(&without_rights).contains("--project"), "{}", stderr(&without_rights));
    assert_eq!(home.run(&["login", "approve", code, "--operator", "--project", "Bakery"]).status.code(), Some(2));
    assert_eq!(exchange().0, 404, "not approved yet");
    let approved =
        json(&home.run(&["login", "approve", code, "--email", "ana@example.com", "--project", "Bakery", "--json"]));
    assert_eq!((approved["approved"].as_bool(), approved["email"].as_str()), (Some(true), Some("ana@example.com")));
    assert_eq!((approved["request"]["address"].as_str(), &approved["operator"]), (Some("127.0.0.1"), &false.into()));
    let (status, token) = exchange();
    assert!(status == 200 && token["token"].as_str().is_some_and(|token| token.starts_with("chu_")), "{token}");

    let again = home.run(&["login", "approve", code, "--operator"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("no pending sign-in for this code"), "{}", stderr(&again));
    let (_, asked) = post(&format!("{url}/api/cli/auth/request"), &serde_json::json!({"client_name": "laptop of Ana"}));
    let code = asked["code"].as_str().unwrap();
    let unknown_project = home.run(&["login", "approve", code, "--project", "Nowhere"]);
    assert!(stderr(&unknown_project).contains("no project 'Nowhere'"), "{}", stderr(&unknown_project));
    let bad_address = home.run(&["login", "approve", code, "--email", "ana", "--operator"]);
    assert!(stderr(&bad_address).contains("'ana' is not an e-mail address"), "{}", stderr(&bad_address));
    let shown = stdout(&home.run(&["login", "approve", code, "--operator"]));
    for part in
        ["address     127.0.0.1", "client      laptop of Ana", "access to   every project", "approved: operator@"]
    {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(server.terminates(), "the server must stop with success");
}

#[test]
fn project_name_must_exist_and_be_unique() {
    let home = Home::new();
    assert!(home.run(&["projects", "create", "Only"]).status.success());
    let output = home.run(&["keys", "create", "--project", "Missing"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no project 'Missing'"), "{}", stderr(&output));
    assert!(home.run(&["projects", "create", "Twin"]).status.success());
    for refused in [&["projects", "create", "Twin"][..], &["projects", "rename", "Only", "Twin"]] {
        let output = home.run(refused);
        assert_eq!(output.status.code(), Some(1), "{refused:?}");
        assert!(stderr(&output).contains("there is a project named 'Twin' already"), "{}", stderr(&output));
    }
    assert!(home.run(&["keys", "create", "--project", "Twin"]).status.success());
}

#[test]
fn error_for_a_used_port_names_the_flag() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = |arguments: &[&str], flag: &str| {
        let output = home.run(arguments);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        assert!(error.contains(&address) && error.contains(flag), "{arguments:?}: {error}");
    };
    refused(&["serve", "--listen", &address], "--listen");
    refused(&["emulator", "--listen", &address], "--listen");
    refused(&["emulator", "--listen", "0", "--orders-listen", &address], "--orders-listen");
    let dev = |api: &str, emulator: &str, orders: &str, flag: &str| {
        refused(&["dev", "--listen", api, "--emulator-listen", emulator, "--orders-listen", orders], flag);
    };
    dev(&address, "0", "0", "--listen");
    dev("0", &address, "0", "--emulator-listen");
    dev("0", "0", &address, "--orders-listen");
}
