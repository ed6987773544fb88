//! `GET /cli/authorize/{code}`: browser page opened by the command line. It shows the approval
//! command and approves nothing.

use crate::ApiError;
use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use domain::cli_login;

pub(crate) async fn handle(Path(code): Path<String>) -> Response {
    if !cli_login::is_code(&code) {
        return ApiError::NotFound("Login").into_response();
    }
    let text = format!(
        "A command line asks to sign in.\n\n\
         If it is you, run this on the machine of the server, or have its operator run it:\n\n    \
         chasqui login approve {code} --email YOUR@ADDRESS --project NAME\n\n\
         The code is valid for ten minutes.\n"
    );
    // Never as HTML, because the creator of the link controls the code.
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
