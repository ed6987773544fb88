use super::*;
use crate::llm::{
    openai::{Chunks, read_answer},
    refusal::Refusal,
};
use bytes::Bytes;
use domain::chat::ModelResponse;
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use std::{
    io,
    time::{Duration, Instant},
};
use tokio::time::sleep;

type Chunk = Result<Bytes, io::Error>;

fn delta(delta: Value) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

fn says(text: &str) -> String {
    delta(json!({"content": text}))
}

fn ends() -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
}

fn chunks(text: &str) -> Vec<Chunk> {
    vec![Ok(Bytes::copy_from_slice(text.as_bytes()))]
}

async fn folded(bytes: impl Stream<Item = Chunk> + Send) -> Result<Streamed, Broken> {
    read(bytes, Box::<Chunks>::default(), Instant::now(), io::Error::to_string).await
}

async fn answer(bytes: impl Stream<Item = Chunk> + Send) -> ModelResponse {
    read_answer(&folded(bytes).await.unwrap().answer).unwrap()
}

async fn refused(bytes: impl Stream<Item = Chunk> + Send) -> Refusal {
    match folded(bytes).await {
        Err(Broken::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Bytes that come after a time.
fn later(seconds: u64, text: String) -> impl Stream<Item = Chunk> + Send {
    async move {
        sleep(Duration::from_secs(seconds)).await;
        Ok(Bytes::from(text))
    }
    .into_stream()
}

#[tokio::test]
async fn characters_may_be_cut_between_network_chunks() {
    let text = format!("\u{feff}: hi\r\n\r\n{}{}{}data: [DONE]\n\n", says("Olá "), says("😀"), ends());
    for size in [1, 2, 3, 7, 1_000] {
        let bytes: Vec<Chunk> = text.as_bytes().chunks(size).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        assert_eq!(answer(stream::iter(bytes)).await.text.as_deref(), Some("Olá 😀"), "{size}");
    }
}

#[tokio::test]
async fn cut_stream_is_a_failure_of_the_server() {
    let reset = || vec![Err(io::Error::other("connection reset"))];
    for bytes in [chunks(""), chunks(&says("half")), chunks(&says("half")).into_iter().chain(reset()).collect()] {
        let refusal = refused(stream::iter(bytes)).await;
        assert_eq!((refusal.status, refusal.details.contains("unreadable")), (502, false), "{refusal:?}");
    }
    let whole = chunks(&(says("whole") + &ends())).into_iter().chain(reset());
    assert_eq!(answer(stream::iter(whole)).await.text.as_deref(), Some("whole"), "the answer had ended");
    let more = chunks(&(says("whole") + &ends() + "data: {half\n\n"));
    assert_eq!(answer(stream::iter(more)).await.text.as_deref(), Some("whole"), "the answer had ended");
}

#[tokio::test(start_paused = true)]
async fn silent_stream_is_given_up_and_comments_count_as_life() {
    let began = tokio::time::Instant::now();
    let silent = stream::iter(chunks(&says("half"))).chain(stream::pending());
    assert_eq!(refused(silent).await.message, "the model sent nothing for 30 s");
    assert_eq!(began.elapsed().as_secs(), 30);
    let comments = stream::iter(0..5).flat_map(|_| later(20, ": PROCESSING\n\n".into()).boxed());
    let slow = comments.chain(later(20, says("done") + &ends()));
    assert_eq!(answer(slow).await.text.as_deref(), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn stream_that_stays_open_after_its_end_is_left() {
    let began = tokio::time::Instant::now();
    let open = stream::iter(chunks(&(says("whole") + &ends()))).chain(stream::pending());
    assert_eq!(answer(open).await.text.as_deref(), Some("whole"));
    assert_eq!(began.elapsed().as_secs(), 3);
    let open = stream::iter(chunks(&(says("whole") + &ends() + "data: [DONE]\n\n"))).chain(stream::pending());
    answer(open).await;
    assert_eq!(began.elapsed().as_secs(), 3, "nothing is read after the last event");
}

#[tokio::test]
async fn stream_that_cannot_be_read_is_asked_for_as_a_whole() {
    for text in ["data: {\"choices\n\n", "data: [DONE]\n\n", "<html>\n", "error: x\n\n", "data: \u{0}\n\n"] {
        let refusal = refused(stream::iter(chunks(&(says("half") + text)))).await;
        assert_eq!(refusal.details, "stream_unreadable", "{text}");
    }
}

#[tokio::test]
async fn streamed_answer_has_the_bounds_of_a_whole_one() {
    let too_long = |bytes: Vec<Chunk>| async {
        match folded(stream::iter(bytes)).await {
            Err(Broken::Failed(failure)) => failure.message.contains("longer than 16 MiB"),
            _ => false,
        }
    };
    let part = says(&"x".repeat(1 << 20));
    assert!(too_long((0..17).flat_map(|_| chunks(&part)).collect()).await, "what is kept");
    assert!(too_long((0..17).flat_map(|_| chunks(&"x".repeat(1 << 20))).collect()).await, "one line");
    let many: Vec<Value> = (0..60_000).map(|index| json!({"index": index})).collect();
    let part = delta(json!({"reasoning_details": many}));
    let refusal = refused(stream::iter(chunks(&part).into_iter().chain(chunks(&part)))).await;
    assert_eq!(refusal.message, "the model's answer has too many JSON values");
}

#[tokio::test]
async fn first_token_is_the_first_text_reasoning_or_call() {
    let began = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
    let begins = delta(json!({"role": "assistant", "content": "", "reasoning": null, "tool_calls": []}));
    let call = json!({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "a", "arguments": "{}"}}]});
    for (first, counts) in [
        (says("a"), true),
        (delta(json!({"reasoning": "a"})), true),
        (delta(call), true),
        (delta(json!({"content": [{"type": "text", "text": "a"}]})), true),
        (String::new(), false),
    ] {
        let bytes = stream::iter(chunks(&(begins.clone() + &first + &ends())));
        let streamed = read(bytes, Box::<Chunks>::default(), began, io::Error::to_string).await.unwrap();
        assert_eq!(streamed.first_token.is_some_and(|time| time >= Duration::from_secs(5)), counts, "{first}");
    }
}
