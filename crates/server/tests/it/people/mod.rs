//! People: sign-in, sessions, invitations, members, keys and projects.

mod archive;
mod cookies;
mod cross_site;
mod deletion;
mod document;
mod feed;
mod guessing;
mod invitations;
mod keys;
mod owners;
mod sessions;
mod setup;
pub mod support;
