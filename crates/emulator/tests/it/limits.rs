use serde_json::json;

use crate::harness::{ANA, BOB, Harness};

#[tokio::test]
async fn burst_of_45_to_one_contact_borrows_270_seconds() {
    let harness = Harness::open().await;
    for _ in 0..45 {
        assert_eq!(harness.text(ANA, "x").await.status, 200);
    }
    let refused = harness.text(ANA, "x").await;
    assert_eq!((refused.status, refused.code()), (400, 131_056));
    assert_eq!(harness.text(BOB, "x").await.status, 200, "another contact is not affected");
    harness.seconds(6).await;
    assert_eq!(harness.text(ANA, "x").await.code(), 131_056);
    harness.seconds(263).await;
    assert_eq!(harness.text(ANA, "x").await.code(), 131_056, "still at +269 s");
    harness.seconds(1).await;
    assert_eq!(harness.text(ANA, "x").await.status, 200);
}

#[tokio::test]
async fn third_send_within_borrowed_time_is_refused() {
    let harness = Harness::open().await;
    assert_eq!(harness.text(ANA, "x").await.status, 200);
    harness.seconds(3).await;
    assert_eq!(harness.text(ANA, "x").await.status, 200);
    harness.seconds(4).await;
    assert_eq!(harness.text(ANA, "x").await.code(), 131_056, "at +7 s");
    harness.seconds(5).await;
    assert_eq!(harness.text(ANA, "x").await.status, 200, "at +12 s");
}

#[tokio::test]
async fn send_81_within_a_second_is_refused() {
    let harness = Harness::open().await;
    harness.put("/limits", json!({"pair_rate": false})).await;
    for _ in 0..80 {
        assert_eq!(harness.text(ANA, "x").await.status, 200);
    }
    let refused = harness.text(ANA, "x").await;
    assert_eq!((refused.status, refused.code()), (429, 130_429));
    assert_eq!(refused.headers["retry-after"], "1");
    harness.put("/limits", json!({"throttle_http": 400})).await;
    assert_eq!(harness.text(ANA, "x").await.status, 400);
    harness.emulator.advance(999).await;
    assert_eq!(harness.text(ANA, "x").await.code(), 130_429);
    harness.emulator.advance(1).await;
    assert_eq!(harness.text(ANA, "x").await.status, 200);
}

#[tokio::test]
async fn limits_can_be_switched_off_and_reset_restores_them() {
    let harness = Harness::open().await;
    harness.put("/limits", json!({"pair_rate": false, "throughput": false})).await;
    for _ in 0..100 {
        assert_eq!(harness.text(ANA, "x").await.status, 200);
    }
    let state = harness.post("/reset", json!({})).await.json();
    assert_eq!(state["limits"]["pair_rate"], true);
    assert_eq!(state["limits"]["throughput"], true);
}
