//! Commands and flags of projects, keys and people.

use clap::{Args as Flags, Subcommand};
use domain::role::Role;

use crate::settings::SettingFlags;

#[derive(Debug, Subcommand)]
pub enum ProjectsCommand {
    /// Create a project and its first API key
    Create(CreateProject),
    /// List all projects
    List(ListProjects),
    /// Rename a project
    Rename(RenameProject),
    /// Archive a project: it can be read, but not changed, and its agents do nothing
    Archive(ArchiveProject),
    /// Restore an archived project
    Restore(ArchiveProject),
    /// Delete a project with all its data; it cannot be undone
    Delete(DeleteProject),
}

#[derive(Debug, Flags)]
pub struct CreateProject {
    /// Name of the project
    pub name: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct DeleteProject {
    /// Project id, as printed by `projects list`
    #[arg(value_name = "ID")]
    pub id: String,
    /// The project's name, as a confirmation
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct ListProjects {
    /// List deleted projects: time, id, and who deleted them
    #[arg(long)]
    pub deleted: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct RenameProject {
    /// Project id, or its name if it is unique
    #[arg(value_name = "NAME_OR_ID")]
    pub project: String,
    /// New name
    pub name: String,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct ArchiveProject {
    /// Project id, or its name if it is unique
    #[arg(value_name = "NAME_OR_ID")]
    pub project: String,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Create an API key; it is shown once
    Create(CreateKey),
    /// List valid keys with role, expiry and last use, without their secrets
    List(ListKeys),
    /// Replace a key by a new one, which is shown once; the old one stays valid for the overlap
    Rotate(RotateKey),
    /// Revoke a key: requests with it are refused at once; works without a server
    Revoke(RevokeKey),
}

#[derive(Debug, Flags)]
pub struct ListKeys {
    /// Only keys of this project, by id or unique name
    #[arg(long, value_name = "NAME_OR_ID")]
    pub project: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct RotateKey {
    /// Id of the key, as printed by `keys list`
    #[arg(value_name = "ID")]
    pub id: String,
    /// Hours for which the old key stays valid; 0: it is refused at once
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(0..=720))]
    pub overlap_hours: u16,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct RevokeKey {
    /// Id of the key, as printed by `keys list`
    #[arg(value_name = "ID")]
    pub id: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct CreateKey {
    /// Project id, or its name if it is unique
    #[arg(long, value_name = "NAME_OR_ID", env = "CHASQUI_PROJECT")]
    pub project: String,
    /// Purpose of the key
    #[arg(long, value_name = "NAME", default_value = "")]
    pub name: String,
    /// Rights of the key: viewer, inbox, builder or owner; all rights if absent
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub role: Option<Role>,
    /// Days until the key expires; it does not if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub expires_in_days: Option<u16>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Invite a person to a project; prints a link that is valid for 7 days
    Invite(InviteUser),
    /// List all users and their roles
    List(ListUsers),
    /// Print a link to choose a new password, valid for a day
    Reset(ResetUser),
    /// Remove a person from a project, and revoke the keys that the person created in it
    Remove(RemoveUser),
}

#[derive(Debug, Flags)]
pub struct InviteUser {
    /// E-mail address
    pub email: String,
    /// Project id, or its name if it is unique
    #[arg(long, value_name = "NAME_OR_ID", env = "CHASQUI_PROJECT")]
    pub project: String,
    /// Role in the project: viewer, inbox, builder or owner
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub role: Role,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct ListUsers {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct ResetUser {
    /// E-mail address
    pub email: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct RemoveUser {
    /// E-mail address
    pub email: String,
    /// Project id, or its name if it is unique
    #[arg(long, value_name = "NAME_OR_ID", env = "CHASQUI_PROJECT")]
    pub project: String,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// Parses a role.
fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| "expected viewer, inbox, builder or owner".to_owned())
}
