//! Project, agent and sandbox session of `dev`, created through the REST API and saved in the data
//! folder.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use server::operator::OperatorError;

use crate::{
    args::DEFAULT_PHONE,
    client::{Api, Refused, Session},
    example,
    settings::text,
    stack::Stack,
};

const FILE: &str = "dev.json";
const NAME: &str = "Demo";

pub struct DemoProject {
    pub api_key: String,

    pub agent_id: String,
    /// Session that is pending or active.
    pub session: Session,
}

/// Content of the file. It contains a key, so only its owner may read it.
#[derive(Debug, Serialize, Deserialize)]
struct SavedProject {
    project_id: String,
    api_key: String,
    agent_id: String,
    /// URL of the order service in the agent's graph.
    orders_url: String,
}

/// Loads the project of an earlier start and recreates the parts that no longer work.
pub async fn find_or_create(stack: &Stack) -> Result<DemoProject> {
    let file = Path::new(text(&stack.values, "server.data_dir")).join(FILE);
    let saved = match load(&file) {
        Some(saved) => refresh(stack, saved).await?,
        None => create(stack).await?,
    };
    save(&file, &saved).with_context(|| format!("cannot write {}", file.display()))?;
    let api = Api::new(&stack.server_url, &saved.api_key)?;
    let session = session(&api, &saved.agent_id).await?;
    Ok(DemoProject { api_key: saved.api_key, agent_id: saved.agent_id, session })
}

async fn create(stack: &Stack) -> Result<SavedProject> {
    let operator = stack.app.operator();
    // The database may have the project of a file that was lost.
    let project = match operator.create_project_with(NAME, &Default::default()).await {
        Err(OperatorError::NameTaken(name)) => name,
        made => made?.to_string(),
    };
    let (project, api_key) = operator.create_key(&project).await?;
    let api = Api::new(&stack.server_url, &api_key)?;
    let agent_id = api.create_agent(&example::shop_agent(&stack.orders_url)?).await?;
    Ok(SavedProject { project_id: project.to_string(), api_key, agent_id, orders_url: stack.orders_url.clone() })
}

/// Checks the saved project. A refused key means another database: everything is created again. A
/// missing agent is created again.
async fn refresh(stack: &Stack, mut known: SavedProject) -> Result<SavedProject> {
    let api = Api::new(&stack.server_url, &known.api_key)?;
    match api.agent(&known.agent_id).await {
        Ok(_) if known.orders_url == stack.orders_url => {}
        Ok(_) => {
            // Only the URL is changed: the graph may have been edited since.
            let graph = api.graph(&known.agent_id).await?.to_string();
            let moved = graph.replace(&known.orders_url, &stack.orders_url);
            let graph: serde_json::Value = serde_json::from_str(&moved).context("the agent's graph is not JSON")?;
            api.update_agent(&known.agent_id, &json!({"graph": graph})).await?;
        }
        Err(error) => match error.downcast_ref::<Refused>().map(|refused| refused.status) {
            Some(401) => return create(stack).await,
            Some(404) => known.agent_id = api.create_agent(&example::shop_agent(&stack.orders_url)?).await?,
            _ => return Err(error),
        },
    }
    known.orders_url.clone_from(&stack.orders_url);
    Ok(known)
}

async fn session(api: &Api, agent: &str) -> Result<Session> {
    let usable = |session: &Session| {
        let open = matches!(session.status.as_str(), "pending_activation" | "active");
        open && session.agent == agent && session.phone == DEFAULT_PHONE
    };
    match api.sessions().await?.into_iter().find(usable) {
        Some(session) => Ok(session),
        None => api.create_session(DEFAULT_PHONE, agent).await,
    }
}

/// Reads the file. A missing or invalid one counts as a first start.
fn load(file: &Path) -> Option<SavedProject> {
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

/// Replaces the file atomically.
fn save(file: &Path, saved: &SavedProject) -> Result<()> {
    let fresh = file.with_extension("json.new");
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    // A crash may have left this file; overwriting it would keep its mode.
    let _ = fs::remove_file(&fresh);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut handle = options.open(&fresh)?;
    handle.write_all(serde_json::to_string_pretty(saved)?.as_bytes())?;
    fs::rename(&fresh, file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn saved_key_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new").join(FILE);
        let text = |name: &str| name.to_owned();
        let known = SavedProject {
            project_id: text("p"),
            api_key: text("k"),
            agent_id: text("a"),
            orders_url: text("http://127.0.0.1:1"),
        };
        for _ in 0..2 {
            save(&file, &known).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(load(&file).unwrap().api_key, "k");
        fs::write(&file, "{").unwrap();
        assert!(load(&file).is_none());
    }
}
