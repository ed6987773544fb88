//! Reports conversations that wait for a person: without an inbox open, nothing else says so.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::sleep;

use super::demo_project::DemoProject;
use crate::{client::Api, output};

const INTERVAL: Duration = Duration::from_secs(2);

/// Prints each handoff of the demo agent once, with the command that gives it back. Never ends.
pub async fn report(server: &str, project: &DemoProject) {
    let Ok(api) = Api::new(server, &project.api_key) else { return };
    let mut reported = BTreeSet::new();
    loop {
        // A server that stops needs no message.
        let waiting: BTreeSet<String> =
            api.handed_off(&project.agent_id).await.unwrap_or_default().into_iter().collect();
        for execution in waiting.difference(&reported) {
            let path = format!("{server}/api/v1/agents/{}/executions/{execution}/resume", project.agent_id);
            output::line("\nThe agent has handed a conversation over and is silent. Give it back to the agent with:\n");
            output::line(format_args!("  curl -s -X POST -H 'X-API-Key: {}' {path}", project.api_key));
        }
        reported = waiting;
        sleep(INTERVAL).await;
    }
}
