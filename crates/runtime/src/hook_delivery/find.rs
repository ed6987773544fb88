//! Finds and claims due deliveries, with a limit for each endpoint and project.

use crate::{Context, hooks::Credentials, worker_step::BATCH};
use domain::ids::{HookEndpointId, ProjectId};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};
use store::{
    Result,
    hook_deliveries::{self, DueDelivery, HookDeliveryRow},
    hook_endpoints::{self, HookEndpointRow},
    transact,
    unscoped::{self, DueHookEndpoint},
};

/// Open requests of a node.
const MOST: usize = 1_024;
/// Open requests to one endpoint.
const MOST_OF_ENDPOINT: usize = 8;
/// Open requests to an endpoint whose latest attempt failed: it may hang.
const MOST_OF_FAILING: usize = 1;
/// Open requests of one project.
const MOST_OF_PROJECT: usize = 128;
/// Endpoints of one scan.
const ENDPOINTS: i64 = 2_000;

/// The requests that are open.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    endpoints: HashMap<(ProjectId, HookEndpointId), usize>,
    projects: HashMap<ProjectId, usize>,
    all: usize,
}

impl Busy {
    pub(crate) fn enter(&mut self, project: ProjectId, endpoint: HookEndpointId) {
        *self.endpoints.entry((project, endpoint)).or_default() += 1;
        *self.projects.entry(project).or_default() += 1;
        self.all += 1;
    }

    pub(crate) fn leave(&mut self, project: ProjectId, endpoint: HookEndpointId) {
        if let Some(open) = self.endpoints.get_mut(&(project, endpoint)) {
            *open -= 1;
            if *open == 0 {
                self.endpoints.remove(&(project, endpoint));
            }
        }
        if let Some(open) = self.projects.get_mut(&project) {
            *open -= 1;
            if *open == 0 {
                self.projects.remove(&project);
            }
        }
        self.all -= 1;
    }

    /// Requests that an endpoint may open.
    fn room(&self, due: &DueHookEndpoint) -> usize {
        let most = if due.failing_since.is_some() { MOST_OF_FAILING } else { MOST_OF_ENDPOINT };
        let open = self.endpoints.get(&(due.project_id, due.id)).copied().unwrap_or(0);
        let of_project = self.projects.get(&due.project_id).copied().unwrap_or(0);
        most.saturating_sub(open).min(MOST_OF_PROJECT.saturating_sub(of_project)).min(MOST.saturating_sub(self.all))
    }
}

/// An endpoint and what signs for it.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub row: HookEndpointRow,
    pub credentials: Credentials,
}

/// A claimed delivery.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub project: ProjectId,
    pub row: HookDeliveryRow,
    /// `None` if the endpoint was deleted, or its key cannot be read.
    pub receiver: Option<Arc<Receiver>>,
}

/// Claims due deliveries, of each endpoint no more than it has room for.
pub(crate) async fn claim(ctx: &Context, busy: &Busy) -> Result<Vec<Claimed>> {
    let due = find(ctx, busy).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let rows = transact!(ctx.store, "hook.claim", tx => {
        let mut rows = Vec::with_capacity(due.len());
        for (project, delivery) in &due {
            let row = hook_deliveries::claim(tx, *project, *delivery, &ctx.node).await?;
            rows.extend(row.map(|row| (*project, row)));
        }
        Ok(rows)
    })?;
    let mut receivers = HashMap::new();
    let mut claimed = Vec::with_capacity(rows.len());
    for (project, row) in rows {
        let receiver = match receivers.entry((project, row.endpoint_id)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(receiver(ctx, project, row.endpoint_id).await?),
        };
        let receiver = receiver.clone();
        claimed.push(Claimed { project, row, receiver });
    }
    Ok(claimed)
}

/// Due deliveries: the first of each endpoint, then the second of each, and so on.
async fn find(ctx: &Context, busy: &Busy) -> Result<Vec<(ProjectId, DueDelivery)>> {
    let now = ctx.now();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let mut endpoints = unscoped::due_hook_endpoints(&mut conn, now, ENDPOINTS).await?;
    if endpoints.is_empty() {
        return Ok(Vec::new());
    }
    // No endpoint is always the first one.
    let mut random = [0; 2];
    ctx.fill_random(&mut random);
    let start = usize::from(u16::from_le_bytes(random)) % endpoints.len();
    endpoints.rotate_left(start);
    let most = BATCH as usize;
    let (mut lists, mut endpoints_seen) = (Vec::new(), 0);
    for endpoint in &endpoints {
        let room = busy.room(endpoint);
        if room == 0 {
            continue;
        }
        let due = hook_deliveries::due(&mut conn, endpoint.project_id, endpoint.id, now, room as i64).await?;
        lists.push((endpoint.project_id, due.into_iter()));
        endpoints_seen += 1;
        if endpoints_seen == most {
            break;
        }
    }
    let mut all = Vec::new();
    loop {
        let before = all.len();
        for (project, list) in &mut lists {
            all.extend(list.next().filter(|_| all.len() < most).map(|delivery| (*project, delivery)));
        }
        if all.len() == before || all.len() >= most {
            return Ok(all);
        }
    }
}

/// An error leaves the claims to expire: the database does not answer.
async fn receiver(ctx: &Context, project: ProjectId, id: HookEndpointId) -> Result<Option<Arc<Receiver>>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let Some(row) = hook_endpoints::find(&mut conn, project, id).await? else { return Ok(None) };
    match Credentials::of(ctx, &mut conn, project, &row).await {
        Ok(credentials) => Ok(Some(Arc::new(Receiver { row, credentials }))),
        Err(error @ store::Error::Damaged { .. }) => {
            tracing::error!(%project, endpoint = %id, %error, "webhook cannot be signed");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
