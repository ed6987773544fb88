//! Commands find one database and create none by accident; a start notices a missing log.

use std::{
    collections::BTreeMap,
    fs::{File, read_to_string},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
use testkit::database::TestDatabase;

use crate::program::{Home, Running, bare, finished, stderr, stdout};

const START_LIMIT: Duration = Duration::from_secs(10);

/// A command in a folder, without settings.
fn at(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command.current_dir(folder.path());
    command
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        }
        all.insert(path.display().to_string(), std::fs::read(&path).unwrap_or_default());
    }
    all
}

#[test]
fn no_command_creates_a_database_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        &["projects", "create", "Shop"][..],
        &["keys", "create", "--project", "Shop"],
        &["login", "approve", "AAAA", "--operator"],
        &["migrate"],
        &["replay", "all"],
        &["backup", "copy.db"],
        &["restore", "--quarantine-only"],
    ] {
        let output = finished(&mut at(&folder, command));
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {error}");
        assert!(error.contains("there is no database at") && error.contains("--data-dir"), "{command:?}: {error}");
    }
    let doctor = finished(&mut at(&folder, &["doctor"]));
    assert!(stdout(&doctor).contains("does not exist yet"), "{}", stdout(&doctor));
    assert_eq!(files(folder.path()), BTreeMap::new());
}

#[test]
fn commands_find_the_one_data_folder_also_that_of_dev() {
    let folder = tempfile::tempdir().unwrap();
    let created = finished(&mut at(&folder, &["projects", "create", "Shop", "--data-dir", ".chasqui/dev"]));
    assert!(created.status.success(), "{}", stderr(&created));
    assert!(stderr(&created).contains("created the database sqlite:.chasqui/dev/chasqui.db"), "{}", stderr(&created));
    let found = finished(&mut at(&folder, &["keys", "create", "--project", "Shop"]));
    assert!(found.status.success(), "{}", stderr(&found));
    assert!(!folder.path().join(".chasqui/chasqui.db").exists());
    let doctor = stdout(&finished(&mut at(&folder, &["doctor"])));
    assert!(doctor.contains(".chasqui/dev  (found)"), "{doctor}");

    let other = finished(&mut at(&folder, &["projects", "create", "Shop", "--data-dir", ".chasqui"]));
    assert!(other.status.success(), "{}", stderr(&other));
    let unclear = finished(&mut at(&folder, &["keys", "create", "--project", "Shop"]));
    let error = stderr(&unclear);
    assert_eq!(unclear.status.code(), Some(1));
    assert!(error.contains(".chasqui and in .chasqui/dev") && error.contains("--data-dir"), "{error}");
}

#[test]
fn doctor_changes_no_file() {
    if TestDatabase::has_postgres() {
        return;
    }
    let home = Home::new();
    let mut server = home.start(&["serve", "--listen", "127.0.0.1:0"]);
    server.value_after("Chasqui listens on ", START_LIMIT);
    assert!(server.terminates());
    let before = files(home.path());
    let doctor = stdout(&home.run(&["doctor"]));
    assert!(doctor.contains("schema current") && doctor.contains("fits the database"), "{doctor}");
    assert_eq!(files(home.path()), before);
}

#[test]
fn start_without_the_log_of_a_killed_server_says_so() {
    if TestDatabase::has_postgres() {
        return;
    }
    let home = Home::new();
    let log = home.path().join("server.log");
    let run = |stop: fn(Running)| {
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut server = Running::spawn(command.stderr(File::create(&log).unwrap()));
        server.value_after("Chasqui listens on ", START_LIMIT);
        stop(server);
        read_to_string(&log).unwrap().contains("the write-ahead log")
    };
    let kill: fn(Running) = drop;
    let ask: fn(Running) = |server| assert!(server.terminates());
    assert!(!run(ask), "a first start");
    assert!(!run(kill), "after a stop");
    // A command in between leaves the log of the killed server.
    assert!(home.run(&["projects", "create", "Shop"]).status.success());
    assert!(!run(kill), "after a kill with its log");
    std::fs::remove_file(home.data().join("chasqui.db-wal")).unwrap();
    assert!(run(ask), "after a kill without its log");
    let _ = std::fs::remove_file(home.data().join("chasqui.db-wal"));
    assert!(!run(ask), "after a stop nothing is missing");
    assert!(!read_to_string(&log).unwrap().contains('\u{1b}'), "no colour codes in a file");
}

#[test]
fn database_files_are_private_whatever_the_folder() {
    if TestDatabase::has_postgres() {
        return;
    }
    let home = Home::new();
    std::fs::create_dir(home.data()).unwrap();
    std::fs::set_permissions(home.data(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let check = || {
        let mut server = home.start(&["serve", "--listen", "127.0.0.1:0"]);
        server.value_after("Chasqui listens on ", START_LIMIT);
        for name in ["chasqui.db", "chasqui.db-wal", "chasqui.db-shm", "master.key"] {
            let mode = std::fs::metadata(home.data().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert!(server.terminates());
    };
    check();
    std::fs::set_permissions(home.data().join("chasqui.db"), std::fs::Permissions::from_mode(0o644)).unwrap();
    check();
}

#[test]
fn unknown_variable_is_refused_with_the_nearest_name() {
    let home = Home::new();
    let output = finished(home.command(&["serve"]).env("CHASQUI_META_APP_SECRETS", "x"));
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("CHASQUI_META_APP_SECRETS; did you mean CHASQUI_META_APP_SECRET?"), "{error}");
}

#[test]
fn serve_warns_of_what_it_runs_without() {
    let home = Home::new();
    let log = home.path().join("server.log");
    let run = |settings: &[(&str, &str)]| {
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env_remove("CHASQUI_LLM_PROVIDER").envs(settings.iter().copied());
        let mut server = Running::spawn(command.stderr(File::create(&log).unwrap()));
        server.value_after("Chasqui listens on ", START_LIMIT);
        assert!(server.terminates());
        read_to_string(&log).unwrap()
    };
    let bare = run(&[]);
    let all = run(&[
        ("CHASQUI_LLM_PROVIDER", "Rehearsal"),
        ("CHASQUI_META_APP_SECRET", "app-secret-value"),
        ("CHASQUI_META_VERIFY_TOKEN", "verify-token-value"),
    ]);
    for gap in ["no language model is set", "no app secret", "no verify token"] {
        assert!(bare.contains(gap) && !all.contains(gap), "{gap}: {bare}{all}");
    }
}
