use emulator::ACCESS_TOKEN;
use reqwest::Method;
use serde_json::json;

use crate::harness::{ANA, Answer, Harness};

async fn upload(harness: &Harness, kind: &str, bytes: &[u8]) -> Answer {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\nContent-Type: {kind}\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat();
    let url = format!("{}/v25.0/100000000000001/media", harness.emulator.url());
    let request =
        harness.http.post(url).bearer_auth(ACCESS_TOKEN).header("content-type", "multipart/form-data; boundary=b");
    Answer::read(request.body(body).send().await.unwrap()).await
}

async fn download(harness: &Harness, url: &str, token: &str) -> (u16, Vec<u8>) {
    let answer = harness.http.get(url).bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn uploaded_file_can_be_fetched_until_it_expires() {
    let harness = Harness::open().await;
    // Bytes that contain the end marker of a form.
    let bytes = b"a\r\n--c\r\n\r\n\xff\x00b".to_vec();
    let answer = upload(&harness, "image/png", &bytes).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let node = harness.read(&format!("/{id}?phone_number_id=100000000000001")).await.json();
    assert_eq!((&node["mime_type"], &node["file_size"]), (&json!("image/png"), &json!(bytes.len())));
    assert_eq!(node["sha256"].as_str().unwrap().len(), 64);
    let url = node["url"].as_str().unwrap().to_owned();
    assert_eq!(download(&harness, &url, ACCESS_TOKEN).await, (200, bytes.clone()));
    assert_eq!(download(&harness, &url, "EAAOTHER").await.0, 401);
    harness.seconds(299).await;
    assert_eq!(download(&harness, &url, ACCESS_TOKEN).await.0, 200);
    harness.seconds(1).await;
    assert_eq!(download(&harness, &url, ACCESS_TOKEN).await.0, 404, "five minutes have passed");
    let fresh = harness.read(&format!("/{id}")).await.json()["url"].as_str().unwrap().to_owned();
    assert_eq!(download(&harness, &fresh, ACCESS_TOKEN).await, (200, bytes));
    let other = harness.read(&format!("/{id}?phone_number_id=1")).await;
    assert_eq!((other.status, other.code()), (400, 100));
    harness.seconds(30 * 24 * 3600).await;
    let expired = harness.read(&format!("/{id}")).await;
    assert_eq!((expired.code(), &expired.json()["error"]["error_subcode"]), (100, &json!(33)));
}

#[tokio::test]
async fn deleted_file_cannot_be_sent() {
    let harness = Harness::open().await;
    let id = upload(&harness, "image/png", b"x").await.json()["id"].as_str().unwrap().to_owned();
    let image = json!({"messaging_product": "whatsapp", "to": ANA, "type": "image", "image": {"id": id}});
    harness.send(&image).await.wamid();
    let gone = harness.ask(Method::DELETE, &format!("/{id}"), ACCESS_TOKEN, None).await;
    assert_eq!(gone.json(), json!({"success": true}));
    assert_eq!(harness.send(&image).await.code(), 131_053);
}

#[tokio::test]
async fn oversized_files_and_malformed_forms_are_refused() {
    let harness = Harness::open().await;
    assert_eq!(upload(&harness, "image/png", &vec![0; 5 << 20]).await.status, 200);
    assert_eq!(upload(&harness, "image/png", &vec![0; (5 << 20) + 1]).await.code(), 131_053);
    assert_eq!(upload(&harness, "image/png", b"").await.code(), 131_053);
    let plain = harness.ask(Method::POST, "/100000000000001/media", ACCESS_TOKEN, Some(&json!({}))).await;
    assert_eq!(plain.code(), 100);
}

#[tokio::test]
async fn business_can_fetch_file_of_a_contact() {
    let harness = Harness::start().await;
    let file = json!({"base64": "aGVsbG8=", "mime_type": "application/pdf", "filename": "nota.pdf"});
    let id = harness.post("/inbound/media", file).await.json()["media_id"].as_str().unwrap().to_owned();
    harness.post("/inbound", json!({"from": "ana", "type": "document", "document": {"id": id, "caption": "c"}})).await;
    let message = harness.callback.received()[0].value()["messages"][0]["document"].clone();
    let expected = json!({"id": id, "caption": "c", "mime_type": "application/pdf", "filename": "nota.pdf",
        "sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="});
    assert_eq!(message, expected);
    let url = harness.read(&format!("/{id}")).await.json()["url"].as_str().unwrap().to_owned();
    assert_eq!(download(&harness, &url, ACCESS_TOKEN).await, (200, b"hello".to_vec()));
    harness.seconds(7 * 24 * 3600).await;
    assert_eq!(harness.read(&format!("/{id}")).await.code(), 100);
}
