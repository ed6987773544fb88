//! A backup is made under load and restored after the original went on. No message is sent twice.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use testkit::database::TestDatabase;

use super::{
    dialogs::{self, Dialogs},
    print_line,
    server::{command, listening},
    world::{World, until},
};
use crate::program::{Home, finished, json, stderr, stdout};

const PEOPLE: usize = 6;
/// Questions before the backup, and those that the original answers after it.
const BEFORE: usize = 3;
const AFTER: usize = 6;
/// The model takes seconds for this question, so that the backup finds turns that wait for it.
const SLOW: &str = "-5";
/// Longer than the window after which an open send would be repeated.
const QUIET: Duration = Duration::from_secs(3);
const WINDOW: (&str, &str) = ("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", "500");

#[test]
fn backup_under_load_is_restored_and_nothing_is_sent_twice() {
    if TestDatabase::has_postgres() {
        return;
    }
    let (world, asked) = dialogs::world_thinking(|question| match question.ends_with(SLOW) {
        true => Duration::from_secs(3),
        false => Duration::from_millis(100),
    });
    let original = listening(command(&world, world.port).env(WINDOW.0, WINDOW.1));
    let mut dialogs = Dialogs::begin(&world, PEOPLE);
    talk(&mut dialogs, BEFORE, |dialogs| dialogs.are_over());
    // One person's request to send stays open; the others ask the slow question meanwhile.
    world.hold_next_send(true);
    let waiting = || asked.lock().unwrap().iter().filter(|(.., question)| question.ends_with(SLOW)).count();
    until("turns that wait for the model", || {
        dialogs.ask(5);
        dialogs.read_answers();
        waiting() >= PEOPLE - 1
    });
    let file = world.home.path().join("chasqui.backup");
    let done = json(&world.home.run(&["backup", file.to_str().unwrap(), "--json"]));
    assert!(done["bytes"].as_u64() > Some(100_000) && done["master_key_fingerprint"].is_string(), "{done}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    talk(&mut dialogs, AFTER, |dialogs| dialogs.are_over() && dialogs.all.iter().all(|one| one.answered == AFTER));
    until("all webhooks", || world.webhooks().1 == 0);
    drop(original);
    let sent = world.send_requests();

    let folder = restored(&world, &file);
    let _restored = listening(command(&world, world.port).env("CHASQUI_DATA_DIR", &folder).env(WINDOW.0, WINDOW.1));
    std::thread::sleep(QUIET);
    assert_eq!(world.send_requests(), sent, "nothing is sent without a new message");
    talk(&mut dialogs, AFTER + 1, |dialogs| dialogs.all.iter().all(|one| one.answered == AFTER + 1));
    assert_eq!(dialogs.check(), PEOPLE * (AFTER + 1));
}

fn talk(dialogs: &mut Dialogs<'_>, last: usize, is_done: impl Fn(&Dialogs<'_>) -> bool) {
    let began = Instant::now();
    loop {
        dialogs.ask(last);
        dialogs.read_answers();
        if is_done(dialogs) && dialogs.all.iter().all(|one| one.answered >= last.min(BEFORE)) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the dialogs do not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Restores into a new folder that has the original's key.
fn restored(world: &World, file: &Path) -> PathBuf {
    let folder = world.home.path().join("restored");
    let mut restore = restore_into(&world.home, file, &folder);
    let without_key = finished(&mut restore);
    assert!(stdout(&without_key).contains("The master key is missing"), "{}", stderr(&without_key));
    std::fs::remove_dir_all(&folder).unwrap();

    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(world.home.data().join("master.key"), folder.join("master.key")).unwrap();
    let report = json(&finished(restore_into(&world.home, file, &folder).arg("--json")));
    let open = |what: &str| report["quarantined"][what].as_u64().unwrap();
    assert!(open("sends") > 0 && open("conversations") > 0, "the backup was made under load: {report}");
    print_line(&format!("quarantined {} sends and {} conversations", open("sends"), open("conversations")));
    let again = finished(&mut restore_into(&world.home, file, &folder));
    assert!(stderr(&again).contains("is not empty"), "{}", stderr(&again));
    folder
}

fn restore_into(home: &Home, file: &Path, folder: &Path) -> Command {
    let mut command = home.command(&["restore", file.to_str().unwrap()]);
    command.env("CHASQUI_DATA_DIR", folder);
    command
}

#[test]
fn backup_replaces_no_file_and_is_not_used_as_a_database() {
    if TestDatabase::has_postgres() {
        return;
    }
    let home = Home::new();
    assert!(home.run(&["projects", "create", "Shop"]).status.success());
    let file = home.path().join("copy.db");
    let file = file.to_str().unwrap();
    assert!(home.run(&["backup", file]).status.success());
    let before = std::fs::read(file).unwrap();
    let again = home.run(&["backup", file]);
    assert!(stderr(&again).contains("never replaces a file"), "{}", stderr(&again));
    assert_eq!(std::fs::read(file).unwrap(), before);

    // It would send what the original has sent.
    let serve = finished(&mut home.command(&["serve", "--listen", "0", "--database", &format!("sqlite:{file}")]));
    assert!(stderr(&serve).contains("is a backup") && stderr(&serve).contains("restore"), "{}", stderr(&serve));

    let damaged = home.path().join("damaged.db");
    std::fs::write(&damaged, &before[..before.len() / 2]).unwrap();
    for bad in [damaged.to_str().unwrap(), home.path().join("none.db").to_str().unwrap()] {
        let target = home.path().join("target");
        let refused = finished(&mut restore_into(&home, Path::new(bad), &target));
        assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
        assert!(!target.join("chasqui.db").exists(), "{bad}: {}", stderr(&refused));
    }
}
