//! One Graph call: log it, apply faults, process it, answer.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    extract::{ConnectInfo, Request, State as Shared},
    response::Response,
};

use super::{
    answer::Answer,
    call::{Call, DEFAULT_VERSION},
    callbacks,
    errors::GraphError,
    oauth, route,
};
use crate::{
    connection::ConnectionAborter,
    driver::Driver,
    faults::{Action, ErrorSpec, Subject, Surface},
    requests::{LoggedRequest, mask},
    state::State,
};

/// Limit for JSON bodies. Meta's own is not published; no message comes near this.
const BODY_LIMIT: usize = 1024 * 1024;
/// Limit for an uploaded file and the form around it.
const MEDIA_LIMIT: usize = 101 * 1024 * 1024;

/// Handles every path outside the control API.
pub(crate) async fn serve(
    Shared(driver): Shared<Arc<Driver>>,
    ConnectInfo(aborter): ConnectInfo<ConnectionAborter>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let limit = if parts.uri.path().ends_with("/media") { MEDIA_LIMIT } else { BODY_LIMIT };
    let Ok(bytes) = to_bytes(body, limit).await else {
        let trace = driver.with(|state| state.ids.trace());
        return Answer::Refused(GraphError::too_large()).into_response(&trace, DEFAULT_VERSION);
    };
    let call = Call::new(&parts, bytes);
    if call.segments == ["dialog", "oauth"] {
        return driver.with(|state| match oauth::dialog(state, &call) {
            Ok(response) => response,
            Err(error) => Answer::Refused(error).into_response(&state.ids.trace(), &call.version),
        });
    }
    let (id, fault) = driver.with(|state| {
        let fault = state.faults_of(&call);
        (state.log(&call, fault.as_ref().map(|(rule, _)| rule.clone())), fault)
    });
    let action = fault.map(|(_, action)| action);
    let Some(answer) = answer(&driver, &call, id, action).await else {
        driver.with(|state| state.requests.update(id, |entry| entry.cut = true));
        aborter.abort();
        return Response::default();
    };
    let trace = driver.with(|state| {
        state.requests.update(id, |entry| {
            entry.status = Some(answer.status());
            entry.error_code = answer.error_code();
        });
        state.ids.trace()
    });
    tracing::info!(method = %call.method, status = answer.status(), code = answer.error_code(), "graph call");
    answer.into_response(&trace, &call.version)
}

/// Produces the answer; `None` cuts the connection.
async fn answer(driver: &Arc<Driver>, call: &Call, id: u64, fault: Option<Action>) -> Option<Answer> {
    match &fault {
        Some(Action::Error(spec)) => return Some(error_answer(driver, spec)),
        Some(Action::Hang { ms }) => {
            driver.wait(*ms).await;
            return None;
        }
        Some(Action::Drop) => return None,
        _ => {}
    }
    let (hold, fails_with) = match fault {
        Some(Action::StatusFail { code }) => (None, Some(code)),
        Some(Action::Hold { ms }) => (Some(ms), None),
        _ => (None, None),
    };
    if let Err(error) = callbacks::set(driver, call).await {
        return Some(Answer::Refused(error));
    }
    let outcome = driver.with(|state| route::process(state, call, id, hold, fails_with));
    if let Some((delivery, pause)) = outcome.wait {
        driver.wait_for_attempt(delivery).await;
        if pause > 0 && !driver.wait(pause).await {
            return None;
        }
    }
    match fault {
        Some(Action::AcceptThenDrop) => None,
        Some(Action::AcceptThenError(spec)) => Some(error_answer(driver, &spec)),
        Some(Action::Slow { ms }) if !driver.wait(ms).await => None,
        Some(Action::Truncate { bytes }) => Some(Answer::Cut(outcome.result, bytes)),
        Some(Action::BadJson) => Some(Answer::BadJson(outcome.result)),
        _ => Some(Answer::from(outcome.result)),
    }
}

fn error_answer(driver: &Driver, spec: &ErrorSpec) -> Answer {
    driver.with(|state| {
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
        let surface = route::surface(self, call);
        let is_send = surface == Some(Surface::Send);
        let template = call.body.as_ref().and_then(|body| body["template"]["name"].as_str());
        let subject = Subject {
            surface,
            number: call.segments.first().cloned(),
            people,
            kind: is_send.then(|| call.text("type").unwrap_or("text").to_owned()),
            template: template.map(str::to_owned),
            event: None,
            token: call.token.clone(),
        };
        let now = self.clock.now();
        self.faults.take(&subject, now, &mut self.ids, Action::changes_a_call)
    }
}
