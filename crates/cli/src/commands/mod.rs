//! Commands, one file each.

mod backup;
pub mod demo;
mod dev;
mod doctor;
mod emulator;
mod executions;
mod keys;
mod login;
mod migrate;
mod openapi;
mod phone;
mod projects;
mod replay;
mod restore;
mod serve;
mod signals;
mod users;

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    args::{Command, ExecutionsCommand, KeysCommand, LoginCommand, ProjectsCommand, UsersCommand},
    settings,
};

pub async fn run(command: Command) -> Result<ExitCode> {
    settings::refuse_unknown_variables()?;
    match command {
        Command::Dev(args) => dev::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Phone(args) => phone::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Emulator(args) => emulator::run(args).await,
        Command::Projects(ProjectsCommand::Create(args)) => projects::create(args).await,
        Command::Projects(ProjectsCommand::List(args)) => projects::list(args).await,
        Command::Projects(ProjectsCommand::Rename(args)) => projects::rename(args).await,
        Command::Projects(ProjectsCommand::Archive(args)) => projects::archive(args, true).await,
        Command::Projects(ProjectsCommand::Restore(args)) => projects::archive(args, false).await,
        Command::Projects(ProjectsCommand::Delete(args)) => projects::delete(args).await,
        Command::Users(UsersCommand::Invite(args)) => users::invite(args).await,
        Command::Users(UsersCommand::List(args)) => users::list(args).await,
        Command::Users(UsersCommand::Reset(args)) => users::reset(args).await,
        Command::Users(UsersCommand::Remove(args)) => users::remove(args).await,
        Command::Keys(KeysCommand::Create(args)) => keys::create(args).await,
        Command::Keys(KeysCommand::List(args)) => keys::list(args).await,
        Command::Keys(KeysCommand::Rotate(args)) => keys::rotate(args).await,
        Command::Keys(KeysCommand::Revoke(args)) => keys::revoke(args).await,
        Command::Executions(ExecutionsCommand::List(args)) => executions::list(args).await,
        Command::Executions(ExecutionsCommand::Stop(args)) => executions::stop(args).await,
        Command::Login(LoginCommand::Approve(args)) => login::approve(args).await,
        Command::Migrate(flags) => migrate::run(flags).await,
        Command::Backup(args) => backup::run(args).await,
        Command::Restore(args) => restore::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Openapi(args) => openapi::run(&args),
    }
}
