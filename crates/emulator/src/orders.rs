//! Sample order service: the business system behind the demo agent's tool.
//!
//! It is a separate server, so that the demo makes a real HTTP call. The orders are fixed, their
//! dates are relative to today. It counts the requests it received.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::clock::wall_time;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use domain::{Span, Timestamp};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running order service; dropping it stops it.
#[derive(Debug)]
pub struct OrderService {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

/// Starts the order service on its own listener; port 0 takes a free one.
pub async fn start(listen: SocketAddr) -> io::Result<OrderService> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let requests = Arc::new(AtomicU64::new(0));
    let app = Router::new()
        .route("/orders/{order_number}", get(find))
        .route("/_requests", get(count))
        .with_state(Arc::clone(&requests));
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "order service stopped with an error");
        }
    });
    Ok(OrderService { address, requests, server })
}

impl OrderService {
    /// Base URL. Orders are at `/orders/{order_number}`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Number of order requests, found or not.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for OrderService {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn find(State(requests): State<Arc<AtomicU64>>, Path(order_number): Path<String>) -> (StatusCode, Json<Value>) {
    requests.fetch_add(1, Ordering::Relaxed);
    match order(&order_number) {
        Some(order) => (StatusCode::OK, Json(order)),
        None => {
            let error = format!("no order {order_number}");
            (StatusCode::NOT_FOUND, Json(json!({"error": error})))
        }
    }
}

async fn count(State(requests): State<Arc<AtomicU64>>) -> Json<Value> {
    Json(json!({"requests": requests.load(Ordering::Relaxed)}))
}

/// Date relative to today, so that the demo never promises a past day.
fn day(from_today: i64) -> Value {
    let now = i64::try_from(wall_time()).unwrap_or(i64::MAX / 1_000);
    let time = Timestamp::from_micros(now.saturating_mul(1_000)) + Span::from_hours(24) * from_today;
    time.to_iso().get(..10).map_or(Value::Null, |date| json!(date))
}

fn order(number: &str) -> Option<Value> {
    let (status, items, carrier, eta, total) = match number {
        "1042" => (
            "shipped",
            json!([{"name": "Running shoes, size 42", "quantity": 1}]),
            json!("Northwind Parcel"),
            day(2),
            "89.90 USD",
        ),
        "1043" => (
            "processing",
            json!([
                {"name": "Rain jacket, blue, M", "quantity": 1},
                {"name": "Wool socks", "quantity": 3},
            ]),
            Value::Null,
            day(7),
            "134.50 USD",
        ),
        "1044" => (
            "delivered",
            json!([{"name": "Water bottle, 1 l", "quantity": 2}]),
            json!("Northwind Parcel"),
            day(-4),
            "31.00 USD",
        ),
        _ => return None,
    };
    Some(json!({
        "order_number": number, "status": status, "items": items, "carrier": carrier,
        "eta": eta, "total": total,
    }))
}
