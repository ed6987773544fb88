use serde_json::json;

use crate::harness::{Answer, http};

#[tokio::test]
async fn order_service_has_three_orders_and_counts_requests() {
    let service = emulator::orders::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let http = http();
    let get = async |path: &str| {
        let url = format!("{}{path}", service.url());
        Answer::read(http.get(url).send().await.unwrap()).await
    };
    for (number, status) in [("1042", "shipped"), ("1043", "processing"), ("1044", "delivered")] {
        let answer = get(&format!("/orders/{number}")).await;
        assert_eq!(answer.status, 200);
        let order = answer.json();
        assert_eq!((&order["order_number"], &order["status"]), (&json!(number), &json!(status)));
        for field in ["items", "carrier", "eta", "total"] {
            assert!(order.get(field).is_some(), "{field}");
        }
    }
    let missing = get("/orders/9999").await;
    assert_eq!((missing.status, missing.json()), (404, json!({"error": "no order 9999"})));
    assert_eq!(get("/_requests").await.json(), json!({"requests": 4}));
    assert_eq!(service.requests(), 4);
}
