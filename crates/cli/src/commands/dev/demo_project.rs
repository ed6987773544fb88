//! The project, agent and sandbox session of `dev`, made through the REST API and remembered in the data folder.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    args::DEFAULT_PHONE,
    client::{Api, Refused, Session},
    example,
    settings::text,
    stack::Stage,
};

const FILE: &str = "dev.json";
const NAME: &str = "Demo";

/// What `dev` shows.
pub struct DemoProject {
    /// The project's key.
    pub api_key: String,
    /// The demo agent's id.
    pub agent_id: String,
    /// A session that waits for its code or is active.
    pub session: Session,
}

/// What is remembered. The file holds a key, so only its owner may read it.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    project_id: String,
    api_key: String,
    agent_id: String,
    /// Stands in the agent's graph.
    orders_url: String,
}

/// Finds what an earlier start made, and makes what does not work any more.
pub async fn find_or_make(stage: &Stage) -> Result<DemoProject> {
    let file = Path::new(text(&stage.values, "server.data_dir")).join(FILE);
    let remembered = match recall(&file) {
        Some(remembered) => refresh(stage, remembered).await?,
        None => make(stage).await?,
    };
    remember(&file, &remembered).with_context(|| format!("cannot write {}", file.display()))?;
    let api = Api::new(&stage.server_url, &remembered.api_key)?;
    let session = session(&api, &remembered.agent_id).await?;
    Ok(DemoProject { api_key: remembered.api_key, agent_id: remembered.agent_id, session })
}

async fn make(stage: &Stage) -> Result<Remembered> {
    let operator = stage.app.operator();
    let project = operator.create_project(NAME).await?;
    let (project, api_key) = operator.create_key(&project.to_string()).await?;
    let api = Api::new(&stage.server_url, &api_key)?;
    let agent_id = api.create_agent(&example::shop_agent(&stage.orders_url)?).await?;
    Ok(Remembered { project_id: project.to_string(), api_key, agent_id, orders_url: stage.orders_url.clone() })
}

/// The key decides whether the project is still there (the database may be another one), then the agent is looked for.
async fn refresh(stage: &Stage, mut known: Remembered) -> Result<Remembered> {
    let api = Api::new(&stage.server_url, &known.api_key)?;
    match api.agent(&known.agent_id).await {
        Ok(_) if known.orders_url == stage.orders_url => {}
        Ok(_) => {
            // Only the address is changed: the graph may have been edited since.
            let graph = api.graph(&known.agent_id).await?.to_string();
            let moved = graph.replace(&known.orders_url, &stage.orders_url);
            let graph: serde_json::Value = serde_json::from_str(&moved).context("the agent's graph is not JSON")?;
            api.update_agent(&known.agent_id, &json!({"graph": graph})).await?;
        }
        Err(error) => match error.downcast_ref::<Refused>().map(|refused| refused.status) {
            Some(401) => return make(stage).await,
            Some(404) => known.agent_id = api.create_agent(&example::shop_agent(&stage.orders_url)?).await?,
            _ => return Err(error),
        },
    }
    known.orders_url.clone_from(&stage.orders_url);
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

/// A file that is absent or cannot be understood counts as a first start.
fn recall(file: &Path) -> Option<Remembered> {
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

/// Replaces the file as a whole, so that a crash leaves the old one or the new one.
fn remember(file: &Path, remembered: &Remembered) -> Result<()> {
    let fresh = file.with_extension("json.new");
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    // Left by a crash; its mode would be kept if it were written over.
    let _ = fs::remove_file(&fresh);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut handle = options.open(&fresh)?;
    handle.write_all(serde_json::to_string_pretty(remembered)?.as_bytes())?;
    fs::rename(&fresh, file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_remembered_key_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new").join(FILE);
        let text = |name: &str| name.to_owned();
        let known = Remembered {
            project_id: text("p"),
            api_key: text("k"),
            agent_id: text("a"),
            orders_url: text("http://127.0.0.1:1"),
        };
        for _ in 0..2 {
            remember(&file, &known).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(recall(&file).unwrap().api_key, "k");
        fs::write(&file, "{").unwrap();
        assert!(recall(&file).is_none());
    }
}
