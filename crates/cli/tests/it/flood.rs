//! Strangers who hold or fill connections: other clients are served meanwhile, and memory stays
//! bounded. The server is a process of its own, so that its memory can be measured; each attacker
//! has addresses of its own on the loopback network.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::program::{Home, Running, json};

const START_LIMIT: Duration = Duration::from_secs(20);
/// Longest wait of another client's request.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Growth of the server's memory, in KiB.
const MOST_MEMORY: u64 = 64 * 1024;
/// Attackers use this many addresses; the limit per address is 512 connections.
const ADDRESSES: usize = 10;
const BODY: usize = 4_000_000;
const FALSE_SIGNATURE: &str = "sha256=0000000000000000000000000000000000000000000000000000000000000000";

struct Flooded {
    server: Running,
    address: SocketAddr,
    key: String,
    /// Resident memory before the flood, in KiB.
    memory: u64,
    _home: Home,
}

impl Flooded {
    fn start() -> Self {
        let files = raise_open_files();
        assert!(files >= 6_000, "this test opens 5,000 connections, and the limit of open files is {files}");
        let home = Home::new();
        let project = json(&home.run(&["projects", "create", "Bakery", "--json"]));
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("CHASQUI_META_APP_SECRET", "secret").env("CHASQUI_META_VERIFY_TOKEN", "verify-me-please");
        command
            .env("CHASQUI_RATE_LIMIT_PER_MINUTE", "0")
            .env("CHASQUI_PROJECT_REQUESTS_PER_MINUTE", "0")
            .env("CHASQUI_LOG", "error");
        let mut server = Running::start(&mut command);
        let url = server.value_after("Chasqui listens on ", START_LIMIT);
        let address = url.trim_start_matches("http://").parse().unwrap();
        let key = project["api_key"].as_str().unwrap().to_owned();
        Self { server, address, key, memory: 0, _home: home }
    }

    /// Resident memory of the server in KiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn check_memory(&self, what: &str) {
        let grown = self.memory().saturating_sub(self.memory);
        eprintln!("{what}: memory + {} MiB", grown / 1024);
        assert!(grown <= MOST_MEMORY, "{what}: memory grew by {grown} KiB");
    }
}

fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(8_192).min(8_192).max(limit.current.unwrap_or(8_192));
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Connects from one of the attackers' addresses.
async fn attack(server: SocketAddr, number: usize) -> std::io::Result<TcpStream> {
    let last = u8::try_from(number % ADDRESSES).unwrap_or_default();
    let socket = TcpSocket::new_v4()?;
    socket.bind((IpAddr::V4(Ipv4Addr::new(127, 0, 1, 10 + last)), 0).into())?;
    socket.connect(server).await
}

/// Another client, which reads and writes on new connections until it is stopped. It has a thread
/// of its own, so that it does not wait for the attackers' tasks.
struct Others {
    stop: Arc<AtomicBool>,
    waits: Arc<Mutex<Vec<Duration>>>,
    thread: JoinHandle<()>,
}

impl Others {
    fn start(server: SocketAddr, key: String) -> Self {
        let (stop, waits) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (ends, log) = (stop.clone(), waits.clone());
        let thread = std::thread::spawn(move || {
            for number in 0.. {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let began = Instant::now();
                let answer = Self::request(server, &key, number % 2 == 0);
                log.lock().unwrap().push(began.elapsed());
                assert!(answer.starts_with("HTTP/1.1 2") || answer.starts_with("HTTP/1.1 422"), "{answer}");
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { stop, waits, thread }
    }

    fn request(server: SocketAddr, key: &str, reads: bool) -> String {
        let customer = json!({"customer": {"name": "Ana", "external_customer_id": "ana"}}).to_string();
        let (line, body) = if reads { ("GET /api/v1/agents", "") } else { ("POST /api/v1/customers", &*customer) };
        let request = format!(
            "{line} HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut answer = String::new();
        let mut stream = std::net::TcpStream::connect(server).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn check(&self, what: &str) {
        let waits = std::mem::take(&mut *self.waits.lock().unwrap());
        let longest = waits.iter().max().copied().unwrap_or(Duration::MAX);
        eprintln!("{what}: {} other requests, the longest took {longest:?}", waits.len());
        assert!(longest <= LONGEST_WAIT, "{what}: another client's request took {longest:?}");
        assert!(!self.thread.is_finished(), "another client's request failed");
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// Opens connections in parallel and sends `bytes` on each.
async fn open(server: SocketAddr, count: usize, bytes: &'static [u8]) -> Vec<TcpStream> {
    let mut opening = JoinSet::new();
    for number in 0..count {
        opening.spawn(async move {
            let mut stream = attack(server, number).await?;
            stream.write_all(bytes).await?;
            std::io::Result::Ok(stream)
        });
    }
    let opened = opening.join_all().await;
    opened.into_iter().map(|stream| stream.expect("a connection")).collect()
}

/// Sends webhooks of 4 MB at once. Returns the statuses of the answers.
async fn bodies(server: SocketAddr, count: usize, signature: Option<&'static str>) -> Vec<Option<u16>> {
    let body: Arc<Vec<u8>> = Arc::new(vec![b' '; BODY]);
    let mut sending = JoinSet::new();
    for number in 0..count {
        let body = body.clone();
        sending.spawn(async move {
            let signature = signature.map_or(String::new(), |value| format!("x-hub-signature-256: {value}\r\n"));
            let head =
                format!("POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\n{signature}content-length: {BODY}\r\n\r\n");
            let mut stream = attack(server, number).await.ok()?;
            let mut answer = [0; 12];
            let (mut reads, mut writes) = stream.split();
            let (read, _) = tokio::join!(timeout(Duration::from_secs(20), reads.read_exact(&mut answer)), async {
                writes.write_all(head.as_bytes()).await?;
                writes.write_all(&body).await
            });
            read.ok()?.ok()?;
            String::from_utf8_lossy(&answer[9..]).parse().ok()
        });
    }
    sending.join_all().await
}

#[test]
fn floods_of_connections_and_bodies_delay_no_other_client() {
    let mut flooded = Flooded::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = flooded.address;
        let others = Others::start(server, flooded.key.clone());
        sleep(Duration::from_millis(500)).await;
        flooded.memory = flooded.memory();
        others.check("before the flood");

        let silent = open(server, 4_000, b"").await;
        sleep(Duration::from_millis(300)).await;
        others.check("4,000 silent connections");
        flooded.check_memory("4,000 silent connections");

        let slow = open(server, 1_000, b"GET / HTTP/1.1\r\nx-slow: ").await;
        sleep(Duration::from_millis(300)).await;
        others.check("1,000 slow headers");
        flooded.check_memory("1,000 slow headers");

        for (signature, refused) in [(None, 401), (Some(FALSE_SIGNATURE), 403)] {
            let what = format!("400 bodies, signature {signature:?}");
            let answers = bodies(server, 400, signature).await;
            others.check(&what);
            flooded.check_memory(&what);
            let of = |status| answers.iter().filter(|answer| **answer == Some(status)).count();
            eprintln!("{what}: {} × {refused}, {} × 503", of(refused), of(503));
            assert_eq!(of(refused) + of(503), 400, "{what}: {answers:?}");
        }
        drop((silent, slow));
        others.end();
    });
    assert!(flooded.server.terminates(), "the server must stop with success");
}

#[test]
fn one_address_cannot_take_all_connections() {
    let flooded = Flooded::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut opened = Vec::new();
        for _ in 0..600 {
            opened.push(attack(flooded.address, 0).await.unwrap());
        }
        let mut closed = 0;
        for stream in &mut opened[..88] {
            closed += usize::from(timeout(Duration::from_secs(5), stream.read(&mut [0; 1])).await.is_ok());
        }
        assert_eq!(closed, 88, "512 of 600 stay open");
        let still_open = timeout(Duration::from_millis(50), opened[599].read(&mut [0; 1])).await;
        assert!(still_open.is_err(), "the newest one was closed");
    });
}
