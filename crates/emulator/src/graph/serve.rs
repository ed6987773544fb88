//! One Graph call from socket to socket: log it, let faults have their say, process it, answer.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    extract::{ConnectInfo, Request, State as Shared},
    http::Method,
    response::Response,
};

use super::{
    answer::Answer,
    call::{Call, DEFAULT_VERSION},
    errors::GraphError,
    messages,
    outcome::{Outcome, unimplemented},
};
use crate::{
    connection::Cutter,
    faults::{Action, ErrorSpec, Subject, Surface},
    requests::{LoggedRequest, mask},
    runtime::Runtime,
    state::State,
};

/// Meta's own limit for JSON is not published; no text message comes near this.
const BODY_LIMIT: usize = 1024 * 1024;

/// Answer any path that is not the control API's.
pub(crate) async fn serve(
    Shared(runtime): Shared<Arc<Runtime>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_LIMIT).await else {
        let trace = runtime.with(|state| state.ids.trace());
        return Answer::Refused(GraphError::too_large()).into_response(&trace, DEFAULT_VERSION);
    };
    let call = Call::new(&parts, bytes);
    let (id, fault) = runtime.with(|state| {
        let fault = state.faults_of(&call);
        (state.log(&call, fault.as_ref().map(|(rule, _)| rule.clone())), fault)
    });
    let action = fault.map(|(_, action)| action);
    let Some(answer) = answer(&runtime, &call, id, action).await else {
        runtime.with(|state| state.requests.update(id, |entry| entry.cut = true));
        cutter.cut();
        return Response::default();
    };
    let trace = runtime.with(|state| {
        state.requests.update(id, |entry| {
            entry.status = Some(answer.status());
            entry.error_code = answer.error_code();
        });
        state.ids.trace()
    });
    tracing::info!(method = %call.method, status = answer.status(), code = answer.error_code(), "graph call");
    answer.into_response(&trace, &call.version)
}

/// `None` cuts the connection.
async fn answer(runtime: &Arc<Runtime>, call: &Call, id: u64, fault: Option<Action>) -> Option<Answer> {
    match &fault {
        Some(Action::Error(spec)) => return Some(refusal(runtime, spec)),
        Some(Action::Hang { ms }) => {
            runtime.wait(*ms).await;
            return None;
        }
        Some(Action::Drop) => return None,
        _ => {}
    }
    let fails_with = match fault {
        Some(Action::StatusFail { code }) => Some(code),
        _ => None,
    };
    let outcome = runtime.with(|state| state.process(call, id, fails_with));
    if let Some((delivery, pause)) = outcome.wait {
        runtime.wait_for_attempt(delivery).await;
        if pause > 0 && !runtime.wait(pause).await {
            return None;
        }
    }
    match fault {
        Some(Action::AcceptThenDrop) => None,
        Some(Action::AcceptThenError(spec)) => Some(refusal(runtime, &spec)),
        Some(Action::Slow { ms }) if !runtime.wait(ms).await => None,
        _ => Some(Answer::from(outcome.result)),
    }
}

fn refusal(runtime: &Runtime, spec: &ErrorSpec) -> Answer {
    runtime.with(|state| {
        let http = state.limits.switches.throttle_http;
        match GraphError::from_fault(spec, &state.world.waba_id) {
            Some(error) => Answer::Refused(error.throttled_with(http)),
            None => Answer::BadGateway,
        }
    })
}

impl State {
    fn log(&mut self, call: &Call, fault: Option<String>) -> u64 {
        let id = self.ids.count("request");
        self.requests.add(LoggedRequest {
            id,
            at: self.clock.now(),
            method: call.method.to_string(),
            path: call.path.clone(),
            token: call.token.as_deref().map(mask),
            body: call.logged_body(),
            status: None,
            error_code: None,
            cut: false,
            unimplemented: false,
            fault,
        });
        id
    }

    fn faults_of(&mut self, call: &Call) -> Option<(String, Action)> {
        let to = call.text("to").or_else(|| call.text("recipient"));
        let people = match to.and_then(|name| self.users.find(name)) {
            Some(user) => self.names_of(&user.key.clone()),
            None => to.map(str::to_owned).into_iter().collect(),
        };
        let is_send = is_messages(call) && call.text("status").is_none();
        let template = call.body.as_ref().and_then(|body| body["template"]["name"].as_str());
        let subject = Subject {
            surface: is_send.then_some(Surface::Send),
            number: call.segments.first().cloned(),
            people,
            kind: is_send.then(|| call.text("type").unwrap_or("text").to_owned()),
            template: template.map(str::to_owned),
            event: None,
            token: call.token.clone(),
        };
        let now = self.clock.now();
        self.faults
            .take(&subject, now, &mut self.ids, |action| !action.changes_a_webhook() && !action.changes_status_order())
    }

    fn process(&mut self, call: &Call, id: u64, fails_with: Option<u32>) -> Outcome {
        if call.token.as_deref() != Some(self.world.token.as_str()) {
            return Err(GraphError::bad_token()).into();
        }
        if is_messages(call) {
            return match (self.world.number(&call.segments[0]), &call.method) {
                (None, _) => Err(GraphError::no_object()).into(),
                (Some(_), &Method::POST) => messages::handle(self, call, id, fails_with),
                (Some(_), _) => Err(GraphError::with(100, "Unsupported method.")).into(),
            };
        }
        unimplemented(self, call, id)
    }
}

fn is_messages(call: &Call) -> bool {
    matches!(&call.segments[..], [_, edge] if edge == "messages")
}
