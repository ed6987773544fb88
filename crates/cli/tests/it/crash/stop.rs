//! A node that is told to stop while a model thinks: the other one goes on at once, and who is calling gets an answer.

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
    nodes::{begin, go_on},
    pair::Pair,
    tell,
    world::{PATIENCE, World, until},
};

/// The promise is 1 s; the machine may be busy.
const HAND_OVER: Duration = Duration::from_secs(3);

#[test]
fn a_node_that_is_told_to_stop_hands_its_turn_over_within_a_second_and_answers_its_callers() {
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
        // The first question is still open when the node that asked it is gone.
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
    let asker = asked.lock().unwrap()[0].1.clone();
    let stopping = pair.all.iter().position(|node| node.name == asker).unwrap();
    let mut caller = Caller::begin(pair.all[stopping].port, &world.deliveries()[0]);

    let signalled = Instant::now();
    pair.process(stopping).signal("-TERM");
    until("the hand-over", || asked.lock().unwrap().len() > 1);
    let (taken, by) = asked.lock().unwrap()[1].clone();
    let took = taken - signalled;
    tell(&format!("the other node had the turn {} ms after SIGTERM", took.as_millis()));
    assert_ne!(by, asker);
    assert!(took < HAND_OVER, "the hand-over took {took:?}");
    assert_eq!(caller.finish(), "HTTP/1.1 200 OK", "the call was under way when the signal came");
    let process = pair.process(stopping);
    until("its end", || process.end().is_some_and(|status| status.success()));
    tell(&format!("it ended after {} ms", signalled.elapsed().as_millis()));

    pair.call_back(1 - stopping);
    until("the answer", || world.heard().len() == 2);
    released.store(true, Ordering::SeqCst);
    go_on(&world, &Case::at("model.ask"), BOOK);
}

/// Brings a webhook in two halves.
struct Caller {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Caller {
    fn begin(port: u16, delivery: &Value) -> Self {
        let (body, signature) = (delivery["body"].as_str().unwrap(), delivery["signature"].as_str().unwrap());
        let head = format!(
            "POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             x-hub-signature-256: {signature}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let (first, rest) = body.as_bytes().split_at(body.len() / 2);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&[head.as_bytes(), first].concat()).unwrap();
        Self { stream, rest: rest.to_owned() }
    }

    /// The first line of the answer.
    fn finish(&mut self) -> String {
        self.stream.write_all(&self.rest).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}
