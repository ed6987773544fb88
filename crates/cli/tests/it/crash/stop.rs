//! SIGTERM during a model call: another node reclaims the turn at once, and open API calls get an
//! answer.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use testkit::database::TestDatabase;

use super::{
    cases::Case,
    model::{self, BOOK},
    nodes::{begin, check_continues},
    pair::Pair,
    print_line,
    world::{PATIENCE, World, until},
};

/// Time limit for the reclaim. The promise is 1 s; the machine may be busy.
const MAX_RECLAIM: Duration = Duration::from_secs(3);

/// Answer of a node that has begun to read a body.
const CONTINUE: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[test]
fn stopping_node_releases_its_turn_and_answers_open_calls() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (asked, released) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let (log, free) = (asked.clone(), released.clone());
    let world = World::with(move |request| {
        let node = request.path.split('/').nth(1).unwrap_or_default().to_owned();
        let first = {
            let mut log = log.lock().unwrap();
            log.push((Instant::now(), node));
            log.len() == 1
        };
        // The first request is still open when its node has stopped.
        tokio::task::block_in_place(|| {
            let began = Instant::now();
            while first && !free.load(Ordering::SeqCst) && began.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        model::complete(request)
    });
    let mut pair = Pair::start(&world, &[]);
    begin(&world, &Case::at("model.ask"));
    until("the question", || !asked.lock().unwrap().is_empty());
    let asking_node = asked.lock().unwrap()[0].1.clone();
    let stopping = pair.all.iter().position(|node| node.name == asking_node).unwrap();
    let mut caller = Caller::begin(pair.all[stopping].port, &world.deliveries()[0]);

    let signalled = Instant::now();
    pair.process(stopping).signal("-TERM");
    until("the reclaim", || asked.lock().unwrap().len() > 1);
    let (taken, by) = asked.lock().unwrap()[1].clone();
    let took = taken - signalled;
    print_line(&format!("the other node reclaimed the turn {} ms after SIGTERM", took.as_millis()));
    assert_ne!(by, asking_node);
    assert!(took < MAX_RECLAIM, "the reclaim took {took:?}");
    assert_eq!(caller.finish(), "HTTP/1.1 200 OK", "the call was open when the signal arrived");
    let process = pair.process(stopping);
    until("the node's exit", || process.end().is_some_and(|status| status.success()));
    print_line(&format!("the node stopped after {} ms", signalled.elapsed().as_millis()));

    pair.set_callback(1 - stopping);
    until("the answer", || world.received_texts().len() == 2);
    released.store(true, Ordering::SeqCst);
    check_continues(&world, &Case::at("model.ask"), BOOK);
}

/// Sends the head of a webhook, then its body.
struct Caller {
    stream: TcpStream,
    body: Vec<u8>,
}

impl Caller {
    /// Sends the head and waits until the node reads the request: an ordered stop may close a
    /// connection on which no request has begun.
    fn begin(port: u16, delivery: &Value) -> Self {
        let (body, signature) = (delivery["body"].as_str().unwrap(), delivery["signature"].as_str().unwrap());
        let head = format!(
            "POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             x-hub-signature-256: {signature}\r\ncontent-length: {}\r\n\
             expect: 100-continue\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut proceed = [0; CONTINUE.len()];
        stream.read_exact(&mut proceed).unwrap();
        assert_eq!(proceed, *CONTINUE);
        Self { stream, body: body.as_bytes().to_owned() }
    }

    /// Sends the body. Returns the status line of the answer.
    fn finish(&mut self) -> String {
        self.stream.write_all(&self.body).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}
