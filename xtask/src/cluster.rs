//! A throwaway PostgreSQL cluster.
//!
//! It must not outlive xtask, however that ends: return, panic, Ctrl-C or `kill -9`. So a small
//! shell process (the keeper) waits on a pipe that only xtask holds. When the pipe closes, it stops
//! the cluster and removes its folder.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

use crate::process::{output_of, user_id};

const FOLDER_PREFIX: &str = "chasqui-postgres-";
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Files in memory. Each test creates and drops a database of a thousand files. Some file systems
/// (ext4) look at every recently deleted file before they create one, which took half of the
/// processor's time.
const IN_MEMORY: &str = "/dev/shm";
const MEBIBYTES_IN_MEMORY: u64 = 2_048;

/// Condition for the end of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// None: the data of tests need not survive a power cut.
    None,
    /// A flush to the disk, as in production: for benchmarks.
    Full,
}

impl Durability {
    const fn settings(self) -> &'static str {
        match self {
            Self::None => "\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = 256MB\n",
            Self::Full => "\nfsync = on\nsynchronous_commit = on\nfull_page_writes = on\n",
        }
    }
}

/// Every client is trusted, so the port stays off the network.
const SETTINGS: &str = "
max_connections = 400
listen_addresses = '127.0.0.1'
";

/// `$1` folder of the programs, `$2` data folder, `$3` everything to remove.
const KEEPER: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
[ -f "$2/postmaster.pid" ] && "$1/pg_ctl" -D "$2" -s -m immediate stop
rm -rf "$3"
"#;

pub struct Cluster {
    pub folder: PathBuf,
    pub port: u16,
    keeper: Child,
}

impl Cluster {
    pub fn start(bin: &Path, durability: Durability) -> Result<Self> {
        let owner = Owner::choose()?;
        let in_memory = (durability == Durability::None && free_mebibytes(IN_MEMORY) >= MEBIBYTES_IN_MEMORY)
            .then(|| PathBuf::from(IN_MEMORY));
        let parent = in_memory.unwrap_or_else(|| owner.temp_dir());
        remove_abandoned(&parent);
        let folder = parent.join(format!("{FOLDER_PREFIX}{}", std::process::id()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        owner.give(&folder)?;
        let data = folder.join("data");

        // The keeper first: whatever fails from here on, the folder is removed. Its own process
        // group keeps Ctrl-C and the watchdog away from it.
        let mut keeper = owner.command(Path::new("sh"), &parent);
        keeper.args(["-c", KEEPER, "keeper"]).arg(bin).arg(&data).arg(&folder);
        let keeper = keeper.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut cluster = Self { folder, port: 0, keeper: keeper.context("cannot start sh")? };

        let mut initdb = owner.command(&bin.join("initdb"), &cluster.folder);
        initdb.arg("-D").arg(&data).args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        output_of(initdb.arg("--no-sync"))?;
        let sockets = format!("unix_socket_directories = '{}'\n", cluster.folder.display());
        let settings = data.join("postgresql.conf");
        let defaults = fs::read_to_string(&settings).context("initdb left no postgresql.conf")?;
        fs::write(&settings, defaults + durability.settings() + SETTINGS + &sockets)
            .context("cannot write postgresql.conf")?;

        cluster.port = cluster.listen(bin, &data, &owner)?;
        Ok(cluster)
    }

    /// Starts the server on a free port. Another process may take the port before the server does;
    /// then the next one is tried.
    fn listen(&self, bin: &Path, data: &Path, owner: &Owner) -> Result<u16> {
        let log = self.folder.join("log");
        let mut attempts = 3;
        loop {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut start = owner.command(&bin.join("pg_ctl"), &self.folder);
            start.arg("-D").arg(data).arg("-l").arg(&log).args([
                "-w",
                "-t",
                "60",
                "-o",
                &format!("-p {port}"),
                "start",
            ]);
            let Err(error) = output_of(&mut start) else { return Ok(port) };
            attempts -= 1;
            if attempts == 0 {
                let log = fs::read_to_string(&log).unwrap_or_default();
                return Err(error.context(format!("PostgreSQL does not start; its log:\n{log}")));
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("warning: cannot wait for the keeper of {}: {error}", self.folder.display());
        }
    }
}

/// User that runs the server: the current one, or an unprivileged one if that is root, which
/// PostgreSQL refuses.
enum Owner {
    Me,
    Other { uid: u32, gid: u32 },
}

impl Owner {
    fn choose() -> Result<Self> {
        if user_id(&["-u"])? != 0 {
            return Ok(Self::Me);
        }
        for name in ["postgres", "nobody"] {
            let (Ok(uid), Ok(gid)) = (user_id(&["-u", name]), user_id(&["-g", name])) else { continue };
            return Ok(Self::Other { uid, gid });
        }
        bail!("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
    }

    /// A root user's own `TMPDIR` may be closed to others.
    fn temp_dir(&self) -> PathBuf {
        match self {
            Self::Me => std::env::temp_dir(),
            Self::Other { .. } => PathBuf::from("/tmp"),
        }
    }

    fn give(&self, folder: &Path) -> Result<()> {
        let Self::Other { uid, gid } = self else { return Ok(()) };
        chown(folder, Some(*uid), Some(*gid))
            .with_context(|| format!("cannot change the owner of {}", folder.display()))
    }

    /// A command in a folder that the owner can enter; the current folder may be closed to them.
    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        if let Self::Other { uid, gid } = self {
            command.uid(*uid).gid(*gid);
        }
        command
    }
}

/// 0 if there is no such folder, or no `df`.
fn free_mebibytes(folder: &str) -> u64 {
    let output = output_of(Command::new("df").args(["--output=avail", "--block-size=1M", folder])).unwrap_or_default();
    output.lines().last().and_then(|free| free.trim().parse().ok()).unwrap_or_default()
}

/// Folders that a killed keeper left behind. A server that still runs in one of them ends when its
/// folder is gone.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let age = metadata.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default();
        let ours = entry.file_name().to_string_lossy().starts_with(FOLDER_PREFIX);
        if ours && metadata.is_dir() && age > ABANDONED_AFTER {
            match fs::remove_dir_all(entry.path()) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    eprintln!("warning: cannot remove {}: {error}", entry.path().display());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_has_no_room() {
        assert_eq!(free_mebibytes("/no/such/folder"), 0);
        #[cfg(target_os = "linux")]
        assert!(free_mebibytes("/") > 0);
    }

    #[test]
    fn only_abandoned_folders_of_ours_are_removed() {
        let parent = std::env::temp_dir().join(format!("chasqui-xtask-test-{}", std::process::id()));
        let old = SystemTime::now() - 2 * ABANDONED_AFTER;
        for (name, is_old) in [("chasqui-postgres-1", true), ("chasqui-postgres-2", false), ("someone-else", true)] {
            fs::create_dir_all(parent.join(name)).unwrap();
            if is_old {
                fs::File::open(parent.join(name)).unwrap().set_modified(old).unwrap();
            }
        }
        remove_abandoned(&parent);
        let left = |name: &str| parent.join(name).exists();
        assert_eq!([left("chasqui-postgres-1"), left("chasqui-postgres-2"), left("someone-else")], [false, true, true]);
        fs::remove_dir_all(&parent).unwrap();
    }
}
