//! Authentication. A handler that takes [`ProjectContext`] runs only for a key or a person with
//! enough rights, and is scoped to one project.

mod principal;
mod project;
mod request;
mod same_site;
mod session;
mod sign_in;
mod user_token;

pub(crate) use principal::Principal;
pub use project::ProjectContext;
pub(crate) use project::Revoked;
pub use request::path_id;
pub(crate) use session::{SessionContext, own_pages_only, session_of};
pub(crate) use sign_in::{
    IDLE, INVITATION_LIFETIME, NewCookie, RESET_LIFETIME, SETUP_TOKEN, address, forget, known_user, new_token,
    token_hash,
};
pub(crate) use user_token::UserContext;
