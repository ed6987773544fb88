//! Invariants at the end of a run (docs/spec/reliability.md 15).

use super::{
    people,
    template::Template,
    world::{Inner, World},
};
use domain::ids::{ExecutionId, OutboxId};
use serde_json::Value;
use server::operator::Operator;
use std::collections::{BTreeMap, BTreeSet};
use store::{
    Store,
    census::{self, Census, Execution, Step},
};
use uuid::Uuid;

/// Result of the checks.
pub(super) struct Checked {
    pub wrong: Vec<String>,
    pub executions: u64,
    pub reported_duplicates: u64,
}

/// Reads the database and checks all invariants.
pub(super) async fn all(world: &World, store: &Store, template: &Template) -> Checked {
    let now = world.now();
    let (census, counters) = {
        let mut reader = store.read().await.expect("a reader");
        let mut conn = reader.conn();
        let census = census::read(&mut conn, now.micros()).await.expect("the database is read");
        (census, census::wrong_counters(&mut conn).await.expect("the counters are read"))
    };
    let mut wrong: Vec<String> = counters.iter().map(|counter| format!("I8: {counter:?}")).collect();
    let mut reported_duplicates = 0;
    {
        let inner = &mut *world.lock();
        record(inner, &census, now);
        check_idle(&census, now.micros(), &mut wrong);
        check_inputs(inner, &census, &mut wrong);
        check_sends(inner, &census, &mut wrong, &mut reported_duplicates);
        check_journals(&census, &mut wrong);
    }
    let executions = replay_all(world, store, template, &census, &mut wrong).await;
    Checked { wrong, executions, reported_duplicates }
}

/// Adds the content of the database to the history, and so to the fingerprint.
fn record(inner: &mut Inner, census: &Census, now: domain::Timestamp) {
    for message in &census.messages {
        inner.history.note(now, format!("stored {message:?}"));
    }
    for step in &census.journal {
        inner.history.note(now, format!("journal {step:?}"));
    }
}

/// I5: at the end only contacts are waited for.
fn check_idle(census: &Census, now: i64, wrong: &mut Vec<String>) {
    for conversation in &census.conversations {
        if conversation.due_at.is_some() || conversation.lease_until > now {
            wrong.push(format!("I5: a conversation is still due or leased: {conversation:?}"));
        }
    }
    for row in &census.outbox {
        if !matches!(row.state.as_str(), "accepted" | "failed" | "unconfirmed") {
            wrong.push(format!("I5: a send is not settled: {row:?}"));
        }
    }
    if census.mailbox > 0 || census.overdue > 0 {
        wrong.push(format!("I5: {} inputs wait, {} timers or jobs are overdue", census.mailbox, census.overdue));
    }
    for execution in &census.executions {
        let state: Value = serde_json::from_str(&execution.state).unwrap_or_default();
        let over = matches!(execution.status.as_str(), "ended" | "failed" | "stopped");
        let waits = ["pending", "sends", "inbox", "outside", "calls"].iter().any(|key| state.get(key).is_some());
        if !over && (waits || matches!(execution.status.as_str(), "started" | "running")) {
            wrong.push(format!("I5: an execution has not reached a wait: {execution:?}"));
        }
    }
}

/// I1, I2, I3: every acknowledged message is input of exactly one step, in order of its
/// conversation.
fn check_inputs(inner: &Inner, census: &Census, wrong: &mut Vec<String>) {
    let mut stored: BTreeMap<&str, u32> = BTreeMap::new();
    let mut order: BTreeMap<Uuid, Vec<&str>> = BTreeMap::new();
    let codes: BTreeSet<String> = (0..inner.people.len()).map(people::code_wamid).collect();
    for message in census.messages.iter().filter(|message| message.direction == "inbound") {
        let wamid = message.wamid.as_deref().unwrap_or_default();
        *stored.entry(wamid).or_default() += 1;
        if !codes.contains(wamid) {
            let words: Vec<usize> = wamid.split('.').skip(1).filter_map(|word| word.parse().ok()).collect();
            if !matches!(words[..], [person, number] if people::text(person, number) == message.content) {
                wrong.push(format!("I1: {wamid} is stored with another text: {}", message.content));
            }
            order.entry(message.conversation_id).or_default().push(wamid);
        }
    }
    let mut received: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    for execution in &census.executions {
        for step in steps(census, execution) {
            let messages = inputs(step).into_iter().filter(|input| input["input"] == "said");
            let ids = messages.filter_map(|input| input["id"].as_str().map(str::to_owned));
            received.entry(execution.conversation_id).or_default().extend(ids);
        }
    }
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    for wamid in received.values().flatten() {
        *times.entry(wamid).or_default() += 1;
    }
    for wamid in &inner.acked {
        match stored.get(wamid.as_str()) {
            Some(1) => {}
            Some(many) => wrong.push(format!("I2: {wamid} was stored {many} times")),
            None => wrong.push(format!("I1: {wamid} was acknowledged and is not stored")),
        }
        match times.get(wamid.as_str()) {
            _ if codes.contains(wamid) => {}
            Some(1) => {}
            Some(many) => wrong.push(format!("I2: {wamid} was consumed {many} times")),
            None => wrong.push(format!("I1: {wamid} was acknowledged and never consumed")),
        }
    }
    for (conversation, received) in &received {
        let stored = order.get(conversation).map(Vec::as_slice).unwrap_or_default();
        if !received.iter().eq(stored) {
            wrong.push(format!("I3: conversation {conversation} consumed {received:?} and stored {stored:?}"));
        }
    }
}

/// I4 and G3: compares the messages that Meta accepted with the outbox rows.
fn check_sends(inner: &Inner, census: &Census, wrong: &mut Vec<String>, reported: &mut u64) {
    let mut last: Option<(Uuid, domain::Timestamp)> = None;
    for row in &census.outbox {
        let attempts = inner.sends.get(&OutboxId::from_uuid(row.id)).map(Vec::as_slice).unwrap_or_default();
        let accepted = attempts.iter().filter(|attempt| attempt.accepted.is_some()).count() as i64;
        if accepted > 1 + row.unclear {
            wrong.push(format!(
                "I4: Meta accepted {accepted} messages for one send, but the row has no unclear attempt: {row:?}"
            ));
        }
        *reported += u64::try_from(accepted - 1).unwrap_or(0);
        let of_row = attempts
            .iter()
            .find(|a| row.wamid.as_deref().is_some_and(|wamid| wamid.ends_with(&format!(".{}", a.number))));
        let status = of_row.and_then(|attempt| furthest(&attempt.statuses));
        let message = census.messages.iter().find(|message| message.id == row.message_id);
        if let (Some(status), Some(message)) = (status, message)
            && message.status != status
        {
            wrong.push(format!("I5: Meta sent the status {status}, but the message has {}: {row:?}", message.status));
        }
        match row.state.as_str() {
            "accepted" if accepted == 0 => {
                wrong.push(format!("I1: a send is stored as accepted, but Meta did not accept it: {row:?}"))
            }
            "failed" if accepted > 0 && row.unclear == 0 => {
                wrong.push(format!("I4: a send is stored as failed, but Meta accepted it: {row:?}"));
            }
            _ => {}
        }
        if let Some(ahead) = attempts.iter().find(|attempt| i64::from(attempt.number) > row.attempts) {
            wrong.push(format!("I4: attempt {} was made before it was stored: {row:?}", ahead.number));
        }
        // In a conversation a send leaves only after the previous one has arrived.
        let opened = attempts.iter().map(|attempt| attempt.opened).min();
        if let (Some((conversation, before)), Some(opened)) = (last, opened)
            && conversation == row.conversation_id
            && opened < before
        {
            wrong.push(format!("I3: a send left before the previous one had arrived: {row:?}"));
        }
        if let Some(first) = attempts.iter().filter_map(|attempt| attempt.accepted).min() {
            last = Some((row.conversation_id, first));
        }
    }
    for conversation in &census.conversations {
        let sends = census.outbox.iter().filter(|row| row.conversation_id == conversation.id);
        let numbers: Vec<i64> = sends.map(|row| row.out_seq).collect();
        if !numbers.iter().copied().eq(1..=conversation.next_out_seq) {
            wrong.push(format!("I8: the send counter of {conversation:?} does not match {numbers:?}"));
        }
        let last =
            census.messages.iter().filter(|message| message.conversation_id == conversation.id).map(|m| m.seq).max();
        if last.unwrap_or(0) > conversation.next_seq {
            wrong.push(format!("I8: {conversation:?} has a message with the number {last:?}"));
        }
    }
    for row in census.outbox.iter().filter(|row| row.attempt != row.attempts) {
        wrong.push(format!("I8: the attempt counters of a send differ: {row:?}"));
    }
}

/// Furthest status of a message. `delivered` wins over `failed`.
fn furthest<'a>(statuses: &[&'a str]) -> Option<&'a str> {
    ["read", "delivered", "failed", "sent"]
        .into_iter()
        .find_map(|status| statuses.iter().find(|seen| **seen == status).copied())
}

/// I6, I7, I8: journals without gaps, rising epochs, outcomes only of pending effects, no lost
/// effects.
fn check_journals(census: &Census, wrong: &mut Vec<String>) {
    let rows: BTreeSet<&str> = census.outbox.iter().filter_map(|row| row.effect_id.as_deref()).collect();
    let mut epoch: BTreeMap<Uuid, i64> = BTreeMap::new();
    for execution in &census.executions {
        let steps = steps(census, execution);
        if !steps.iter().map(|step| step.step_no).eq(1..=execution.step_no) {
            let numbers: Vec<i64> = steps.iter().map(|step| step.step_no).collect();
            wrong.push(format!(
                "I6: execution {} made {} steps, but its journal has {numbers:?}",
                execution.id, execution.step_no
            ));
        }
        let state: Value = serde_json::from_str(&execution.state).unwrap_or_default();
        if state["history_len"].as_i64().unwrap_or(0) != execution.history {
            wrong.push(format!("I8: the history counter of execution {} is wrong", execution.id));
        }
        let mut open: BTreeSet<String> = BTreeSet::new();
        for step in steps {
            let before = epoch.entry(execution.conversation_id).or_insert(step.epoch);
            if step.epoch < *before {
                wrong.push(format!("I7: step {} of {} has a stale epoch", step.step_no, execution.id));
            }
            *before = step.epoch;
            let inputs = inputs(step);
            for input in &inputs {
                let effect = input["effect"].as_str().unwrap_or_default();
                let is_pending = match input["input"].as_str().unwrap_or_default() {
                    "model" | "tool" => open.remove(effect),
                    // The same effect may be retried.
                    "model_failed" => open.contains(effect),
                    _ => true,
                };
                if !is_pending {
                    wrong.push(format!(
                        "I7: step {} of {} has an outcome without a pending effect",
                        step.step_no, execution.id
                    ));
                }
            }
            for effect in serde_json::from_str::<Vec<Value>>(&step.effects).unwrap_or_default() {
                let id = effect["id"].as_str().unwrap_or_default();
                match effect["effect"].as_str().unwrap_or_default() {
                    "call_model" | "call_tool" => {
                        open.insert(id.to_owned());
                    }
                    "send" if !rows.contains(id) && !has_outcome(census, execution, id) => {
                        wrong.push(format!("I5: execution {} requested a send that has no outbox row", execution.id));
                    }
                    _ => {}
                }
            }
        }
    }
    for conversation in &census.conversations {
        if epoch.get(&conversation.id).is_some_and(|last| *last > conversation.epoch) {
            wrong.push(format!("I7: {conversation:?} is older than its journal"));
        }
    }
}

/// True if the journal has the outcome of a send. A send that cannot be enqueued fails at once.
fn has_outcome(census: &Census, execution: &Execution, effect: &str) -> bool {
    let mut inputs = steps(census, execution).iter().flat_map(inputs);
    inputs.any(|input| input["input"] == "sent" && input["effect"] == effect)
}

fn steps<'a>(census: &'a Census, execution: &Execution) -> &'a [Step] {
    let from = census.journal.partition_point(|step| step.execution_id < execution.id);
    let to = census.journal.partition_point(|step| step.execution_id <= execution.id);
    &census.journal[from..to]
}

fn inputs(step: &Step) -> Vec<Value> {
    serde_json::from_str(&step.inputs).unwrap_or_default()
}

/// Replays every execution from its journal.
async fn replay_all(
    world: &World,
    store: &Store,
    template: &Template,
    census: &Census,
    wrong: &mut Vec<String>,
) -> u64 {
    let operator = Operator::new(store.clone(), world.clock.clone());
    let compiled = |snapshot| template.compiled.get(&snapshot).cloned();
    let mut count = 0;
    for execution in &census.executions {
        match operator.replay_with(ExecutionId::from_uuid(execution.id), &compiled).await {
            Ok(replay) if replay.difference.is_none() && replay.steps > 0 => count += 1,
            other => wrong.push(format!("I6: execution {} does not replay: {other:?}", execution.id)),
        }
    }
    count
}
