use serde_json::json;

use crate::harness::{ANA, BOB, Bench};

#[tokio::test]
async fn a_burst_of_45_to_one_person_borrows_270_seconds() {
    let bench = Bench::open().await;
    for _ in 0..45 {
        assert_eq!(bench.text(ANA, "x").await.status, 200);
    }
    let refused = bench.text(ANA, "x").await;
    assert_eq!((refused.status, refused.code()), (400, 131_056));
    assert_eq!(bench.text(BOB, "x").await.status, 200, "another person is not affected");
    bench.seconds(6).await;
    assert_eq!(bench.text(ANA, "x").await.code(), 131_056);
    bench.seconds(263).await;
    assert_eq!(bench.text(ANA, "x").await.code(), 131_056, "still at +269 s");
    bench.seconds(1).await;
    assert_eq!(bench.text(ANA, "x").await.status, 200);
}

#[tokio::test]
async fn two_sends_three_seconds_apart_are_accepted_and_the_next_must_wait() {
    let bench = Bench::open().await;
    assert_eq!(bench.text(ANA, "x").await.status, 200);
    bench.seconds(3).await;
    assert_eq!(bench.text(ANA, "x").await.status, 200);
    bench.seconds(4).await;
    assert_eq!(bench.text(ANA, "x").await.code(), 131_056, "at +7 s");
    bench.seconds(5).await;
    assert_eq!(bench.text(ANA, "x").await.status, 200, "at +12 s");
}

#[tokio::test]
async fn the_81st_send_within_a_second_is_refused_and_the_next_second_accepts() {
    let bench = Bench::open().await;
    bench.put("/limits", json!({"pair_rate": false})).await;
    for _ in 0..80 {
        assert_eq!(bench.text(ANA, "x").await.status, 200);
    }
    let refused = bench.text(ANA, "x").await;
    assert_eq!((refused.status, refused.code()), (429, 130_429));
    assert_eq!(refused.headers["retry-after"], "1");
    bench.put("/limits", json!({"throttle_http": 400})).await;
    assert_eq!(bench.text(ANA, "x").await.status, 400);
    bench.emulator.advance(999).await;
    assert_eq!(bench.text(ANA, "x").await.code(), 130_429);
    bench.emulator.advance(1).await;
    assert_eq!(bench.text(ANA, "x").await.status, 200);
}

#[tokio::test]
async fn both_limits_can_be_switched_off_and_a_reset_restores_them() {
    let bench = Bench::open().await;
    bench.put("/limits", json!({"pair_rate": false, "throughput": false})).await;
    for _ in 0..100 {
        assert_eq!(bench.text(ANA, "x").await.status, 200);
    }
    let state = bench.post("/reset", json!({})).await.json();
    assert_eq!(state["limits"]["pair_rate"], true);
    assert_eq!(state["limits"]["throughput"], true);
}
