//! The table of all metrics: name, kind, labels and help text.
//!
//! `/metrics` and docs/operations.md show it. A test compares it with the names that the code
//! emits.

/// Kind of a metric, as Prometheus names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    Counter,
    Gauge,
    /// Of seconds.
    Histogram,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// With the prefix `chasqui_`.
    pub name: &'static str,
    pub kind: MetricKind,
    pub labels: &'static str,
    pub help: &'static str,
}

const fn row(kind: MetricKind, name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    Metric { name, kind, labels, help }
}

const fn counter(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    row(MetricKind::Counter, name, labels, help)
}

const fn gauge(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    row(MetricKind::Gauge, name, labels, help)
}

const fn histogram(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    row(MetricKind::Histogram, name, labels, help)
}

/// Sorted by name.
pub const METRICS: [Metric; 43] = [
    counter(
        "chasqui_connections_closed_total",
        "cause",
        "connections closed by a limit: `slow_headers`, `idle`, `unread_response`, `gave_way`",
    ),
    gauge("chasqui_connections_open", "", "open connections"),
    counter("chasqui_connections_refused_total", "limit", "connections refused with 503: `total`, `address`"),
    counter("chasqui_db_commits_total", "name", "committed transactions"),
    counter("chasqui_db_disk_full_total", "", "writes that failed because the disk is full"),
    counter("chasqui_db_tx_retries_total", "name", "transactions that ran again"),
    counter("chasqui_duplicates_total", "kind", "repeated messages that were ignored"),
    counter("chasqui_executions_over_total", "status,project", "executions that ended or failed"),
    counter("chasqui_feed_events_total", "", "events passed on to listeners of the live feed, once per node"),
    gauge("chasqui_feed_listeners", "", "open streams of the live feed"),
    counter("chasqui_feed_reads_total", "", "reads of new events, once per node while it has listeners"),
    counter("chasqui_handoffs_total", "project", "executions handed to a person"),
    counter("chasqui_handshakes_total", "result", "webhook handshakes: `accepted`, `refused`, `failed`"),
    histogram("chasqui_http_request_seconds", "route,method", "duration of API requests"),
    counter("chasqui_inbound_accepted_total", "result", "deliveries of Meta by what became of them"),
    counter("chasqui_inbound_held_total", "", "messages that wait until their number is proved"),
    histogram("chasqui_inbound_ack_seconds", "", "time until a delivery was stored"),
    counter("chasqui_knowledge_indexes_total", "", "knowledge bases that were indexed"),
    counter(
        "chasqui_large_bodies_refused_total",
        "",
        "API bodies above 1 MiB refused with 503 because too many arrive",
    ),
    histogram("chasqui_llm_first_token_seconds", "", "time until the first token of streamed answers"),
    counter("chasqui_llm_refusals_total", "class", "model calls without an answer, by row of the refusal table"),
    counter("chasqui_llm_requests_total", "result", "model calls"),
    histogram("chasqui_llm_seconds", "", "duration of model calls"),
    counter("chasqui_media_lost_total", "", "files of contacts that could not be downloaded"),
    counter(
        "chasqui_message_changes_total",
        "kind,result",
        "edits and deletions by contacts: applied, waiting for their message, or ignored",
    ),
    counter("chasqui_number_checks_total", "proof,failure", "checks of a number at Meta"),
    counter("chasqui_outbound_duplicates_total", "", "messages that a contact received twice"),
    counter("chasqui_panics_total", "", "panics that were caught"),
    counter("chasqui_project_rows_deleted_total", "", "rows of deleted projects that were deleted"),
    gauge(
        "chasqui_queue_due",
        "queue",
        "due work, counted up to 10,000: `turns`, `sends`, `jobs`, `timers`, `webhooks` (outgoing)",
    ),
    gauge("chasqui_queue_oldest_seconds", "queue", "age of the oldest due work"),
    counter("chasqui_rows_swept_total", "table", "rows deleted because their life was over"),
    counter("chasqui_send_attempts_total", "class", "attempts to send a message, by their outcome"),
    gauge("chasqui_slots_used", "work", "work under way on this node: `turns`, `sends`, `test_runs`"),
    counter("chasqui_stale_epoch_writes_total", "", "writes refused because another worker had the lease"),
    counter("chasqui_statuses_ignored_total", "", "statuses of messages that this server did not send"),
    counter("chasqui_unanswered_total", "cause,code,project", "contacts that get no answer, see the table below"),
    counter("chasqui_unverified_bodies_dropped_total", "", "webhook bodies dropped for newer ones"),
    counter("chasqui_webhook_attempts_total", "result", "outgoing webhooks posted: `delivered`, `retried`, `failed`"),
    counter("chasqui_webhook_endpoints_paused_total", "", "endpoints paused because they failed for three days"),
    counter("chasqui_webhook_signature_failures_total", "", "deliveries without a valid signature"),
    counter("chasqui_work_parked_total", "kind,project", "work that was failed for good because it ended the process"),
    counter("chasqui_write_failures_total", "", "API requests answered 503 because nothing can be stored"),
];
