//! The setup page as HTML. It has no scripts, and its content policy allows none.

use super::{
    html::Html,
    opened::Opened,
    outcome::Reason,
    texts::{Language, Texts},
};
use crate::{SignUp, resources::whatsapp_configs::Verdict};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use gateways::whatsapp::numbers::Number;
use store::whatsapp_configs::WhatsappConfigRow;
use url::Url;

/// Entered values without the access token, and the names of invalid fields.
#[derive(Debug, Default)]
pub(super) struct Entered {
    pub(super) name: String,
    pub(super) phone_number_id: String,
    pub(super) business_account_id: String,
    pub(super) wrong: Vec<String>,
}

/// Page for one visit.
#[derive(Clone, Copy)]
pub(super) struct Page<'v> {
    pub(super) language: Language,
    /// Token of the URL.
    pub(super) token: &'v str,
    /// `None` if the token opens nothing.
    pub(super) opened: Option<&'v Opened>,
    pub(super) sign_up: Option<&'v SignUp>,
    /// True if the URL has more after the token. Links are relative, as a proxy may serve us below a
    /// path.
    pub(super) is_below: bool,
}

/// A number that a sign-up gave access to.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) account: String,
    pub(super) number: Number,
}

impl Page<'_> {
    /// The form; with a reason if a number was not connected.
    pub(super) fn form(&self, entered: &Entered, refused: Option<Reason>) -> Response {
        let texts = self.language.texts();
        let mut html = self.begin(texts.title, Some(self.token));
        alert(&mut html, texts, refused);
        self.parties(&mut html, texts);
        if self.sign_up.is_some() {
            self.form_to(&mut html, &format!("{}/meta", self.token));
            html.element("<p>", texts.sign_up_hint, "</p>\n");
            html.element("<button>", texts.sign_up, "</button>\n</form>\n");
            html.element("<h2>", texts.by_credentials, "</h2>\n");
        }
        html.element("<p>", texts.intro, "</p>\n");
        self.form_to(&mut html, self.token);
        let is_wrong = |field: &str| entered.wrong.iter().any(|wrong| wrong == field);
        let fields = [
            Field {
                name: "name",
                attributes: " maxlength=\"120\" autocomplete=\"off\"",
                label: texts.name,
                value: &entered.name,
                hint: texts.name_hint,
                wrong: texts.wrong_name,
            },
            Field {
                name: "phone_number_id",
                attributes: " inputmode=\"numeric\" maxlength=\"80\" autocomplete=\"off\"",
                label: texts.phone_number_id,
                value: &entered.phone_number_id,
                hint: texts.id_hint,
                wrong: texts.wrong_id,
            },
            Field {
                name: "business_account_id",
                attributes: " inputmode=\"numeric\" maxlength=\"80\" autocomplete=\"off\"",
                label: texts.business_account_id,
                value: &entered.business_account_id,
                hint: texts.id_hint,
                wrong: texts.wrong_id,
            },
            Field {
                name: "access_token",
                attributes: " type=\"password\" maxlength=\"2100\" autocomplete=\"off\"",
                label: texts.access_token,
                value: "",
                hint: texts.access_token_hint,
                wrong: texts.wrong_token,
            },
        ];
        for field in fields {
            field.write(&mut html, is_wrong(field.name));
        }
        html.element("<button>", texts.connect, "</button>\n</form>\n");
        self.way_back(&mut html, "cancelled", texts.cancel);
        let status = match refused {
            Some(reason) => reason.status(),
            None if entered.wrong.is_empty() => StatusCode::OK,
            None => StatusCode::UNPROCESSABLE_ENTITY,
        };
        self.answer(status, html)
    }

    /// The numbers of a sign-up, and the PIN of one that is not registered.
    pub(super) fn numbers(
        &self,
        choices: &[Choice],
        chosen: &str,
        wrong_pin: bool,
        refused: Option<Reason>,
    ) -> Response {
        let texts = self.language.texts();
        let mut html = self.begin(texts.choose, Some("numbers"));
        alert(&mut html, texts, refused);
        if choices.is_empty() {
            html.markup("<a class=\"button\" href=\"../").text(self.token).markup("?lang=").text(self.language.code());
            html.element("\">", texts.back, "</a>\n");
            return self.answer(refused.map_or(StatusCode::OK, Reason::status), html);
        }
        self.parties(&mut html, texts);
        self.form_to(&mut html, "numbers");
        html.element("<fieldset><legend>", texts.choose, "</legend>\n");
        for choice in choices {
            let number = &choice.number;
            html.markup("<label class=\"choice\"><input type=\"radio\" name=\"phone_number_id\" value=\"")
                .text(&number.id);
            let is_chosen = choices.len() == 1 || number.id == chosen;
            html.markup(if is_chosen { "\" required checked> " } else { "\" required> " });
            html.text(number.display_phone_number.as_deref().unwrap_or(&number.id));
            html.element(" <span>", number.verified_name.as_deref().unwrap_or_default(), "</span></label>\n");
        }
        html.markup("</fieldset>\n");
        if choices.iter().any(|choice| !choice.is_registered()) {
            html.element(
                "<label for=\"pin\">",
                texts.pin,
                "</label>\n<input id=\"pin\" name=\"pin\" inputmode=\"numeric\"",
            );
            html.markup(" maxlength=\"6\" autocomplete=\"off\" aria-describedby=\"pin-hint\"");
            html.markup(if wrong_pin { " aria-invalid=\"true\">\n" } else { ">\n" });
            if wrong_pin {
                html.element("<p class=\"wrong\">", texts.wrong_pin, "</p>\n");
            }
            html.element("<p class=\"hint\" id=\"pin-hint\">", texts.pin_hint, "</p>\n");
        }
        html.element("<button>", texts.connect, "</button>\n</form>\n");
        self.way_back(&mut html, "cancelled", texts.cancel);
        let status = refused.map(Reason::status);
        self.answer(status.unwrap_or(if wrong_pin { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }), html)
    }

    /// A page without a form.
    pub(super) fn ended(&self, reason: Reason) -> Response {
        let texts = self.language.texts();
        let mut html = self.begin(texts.title, self.opened.filter(|_| !self.is_below).map(|_| self.token));
        html.element("<p role=\"status\">", texts.reason(reason), "</p>\n");
        if let Some(error) = reason.error() {
            self.way_back(&mut html, error, texts.back);
        }
        self.answer(reason.status(), html)
    }

    /// The result, for a link without a success URL. `callback` is the URL of our webhooks.
    pub(super) fn connected(&self, row: &WhatsappConfigRow, verdict: &Verdict, callback: &str) -> Response {
        let texts = self.language.texts();
        let mut html = self.begin(texts.connected, None);
        let number = row.display_phone_number.as_deref().unwrap_or(&row.phone_number_id);
        html.element("<dl><dt>", &row.name, "</dt>").element("<dd>", number, "</dd></dl>\n");
        if verdict.status == "healthy" {
            html.element("<p role=\"status\">", texts.healthy, "</p>\n");
            return self.answer(StatusCode::OK, html);
        }
        html.element("<p role=\"status\">", texts.not_healthy, "</p>\n<ul>\n");
        if verdict.status == "error" {
            html.element("<li>", texts.reason(Reason::Unreachable), "</li>\n");
        }
        for part in &verdict.failing {
            html.element("<li>", texts.failing(*part), "</li>\n");
        }
        html.element("</ul>\n<p>", texts.webhook, "</p>\n<dl>");
        html.element("<dt>", texts.callback_url, "</dt>").element("<dd><code>", callback, "</code></dd>");
        html.element("<dt>", texts.verify_token, "</dt>");
        html.element("<dd><code>", &row.webhook_verify_token, "</code></dd></dl>\n");
        self.answer(StatusCode::OK, html)
    }

    /// Everything before the content. `here` is the relative URL of this page, for other languages.
    fn begin(&self, title: &str, here: Option<&str>) -> Html {
        let mut html = Html::default();
        html.markup("<!doctype html>\n<html lang=\"").text(self.language.code());
        html.markup("\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.element("<title>", title, "</title>\n<link rel=\"stylesheet\" href=\"");
        if self.opened.is_some() && !self.is_below {
            html.text(self.token).markup("/");
        }
        html.markup("style.css\">\n</head>\n<body>\n");
        if let Some(here) = here {
            html.markup("<nav>");
            for language in Language::ALL {
                html.markup("<a href=\"")
                    .text(here)
                    .markup("?lang=")
                    .text(language.code())
                    .markup("\" lang=\"")
                    .text(language.code());
                html.markup(if language == self.language { "\" aria-current=\"true\">" } else { "\">" });
                html.text(language.name()).markup("</a>");
            }
            html.markup("</nav>\n");
        }
        html.element("<main>\n<h1>", title, "</h1>\n");
        html
    }

    /// Opens a form to a relative URL, in the language of the page.
    fn form_to(&self, html: &mut Html, url: &str) {
        html.markup("<form method=\"post\" action=\"").text(url).markup("?lang=").text(self.language.code());
        html.markup("\">\n");
    }

    fn parties(&self, html: &mut Html, texts: &Texts) {
        let Some(opened) = self.opened else { return };
        html.element("<dl><dt>", texts.customer, "</dt>").element("<dd>", &opened.customer.name, "</dd>");
        html.element("<dt>", texts.project, "</dt>").element("<dd>", &opened.project.name, "</dd></dl>\n");
    }

    /// A link to the failure URL, if there is one.
    fn way_back(&self, html: &mut Html, error: &str, label: &str) {
        if let Some(url) = self.return_url(Return::Failure { error }) {
            html.markup("<a class=\"button second\" href=\"").text(&url).element("\">", label, "</a>\n");
        }
    }

    /// Sends the browser to the project's page, or to another page of ours.
    pub(super) fn redirect(&self, url: &str) -> Option<Response> {
        let location = HeaderValue::from_str(url).ok()?;
        Some(self.protected((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()))
    }

    fn answer(&self, status: StatusCode, mut html: Html) -> Response {
        html.markup("</main>\n</body>\n</html>\n");
        self.protected((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html.finish()).into_response())
    }

    /// URL to return to with its parameters, if the link has one.
    pub(super) fn return_url(&self, to: Return<'_>) -> Option<String> {
        let Opened { link, customer, .. } = self.opened?;
        let base = match &to {
            Return::Success { .. } => &link.success_redirect_url,
            Return::Failure { .. } => &link.failure_redirect_url,
        };
        let mut url = Url::parse(base.as_deref()?).ok()?;
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("setup_link_id", &link.id.to_string());
        pairs.append_pair("customer_id", &customer.id.to_string());
        match to {
            Return::Success { config, status } => {
                pairs.append_pair("whatsapp_config_id", &config.id.to_string());
                pairs.append_pair("phone_number_id", &config.phone_number_id);
                pairs.append_pair("status", status);
            }
            Return::Failure { error } => {
                pairs.append_pair("error", error);
            }
        }
        drop(pairs);
        Some(url.into())
    }

    /// Adds the headers of all setup pages.
    ///
    /// Browsers apply `form-action` also to the redirect after a form, so the success URL and Meta's
    /// dialog are allowed. The referrer policy is not `no-referrer`: with that, browsers send `Origin:
    /// null` with our own form (Fetch standard, "append a request Origin header"). Other sites get no
    /// referrer either way.
    fn protected(&self, mut response: Response) -> Response {
        let success = self.opened.and_then(|opened| opened.link.success_redirect_url.as_deref());
        let dialog = self.sign_up.map(|sign_up| sign_up.dialog_base_url.as_str());
        let mut targets = String::from("'self'");
        for url in [success, dialog].into_iter().flatten().filter_map(|url| Url::parse(url).ok()) {
            targets.push(' ');
            targets.push_str(&url.origin().ascii_serialization());
        }
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
        );
        let fixed = [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "same-origin"),
            (HeaderName::from_static("x-robots-tag"), "noindex"),
        ];
        let headers = response.headers_mut();
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let strict = HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).unwrap_or(strict));
        response
    }
}

fn alert(html: &mut Html, texts: &Texts, reason: Option<Reason>) {
    if let Some(reason) = reason {
        html.element("<p class=\"alert\" role=\"alert\">", texts.reason(reason), "</p>\n");
    }
}

impl Choice {
    /// True if Meta has registered the number for the Cloud API.
    pub(super) fn is_registered(&self) -> bool {
        let is = |value: &Option<String>, wanted: &str| value.as_deref() == Some(wanted);
        is(&self.number.status, "CONNECTED") && is(&self.number.platform_type, "CLOUD_API")
    }
}

struct Field<'f> {
    name: &'static str,
    attributes: &'static str,
    label: &'static str,
    value: &'f str,
    hint: &'static str,
    wrong: &'static str,
}

impl Field<'_> {
    fn write(&self, html: &mut Html, is_wrong: bool) {
        let name = self.name;
        html.markup("<label for=\"").markup(name).element("\">", self.label, "</label>\n<input id=\"");
        html.markup(name)
            .markup("\" name=\"")
            .markup(name)
            .markup("\" value=\"")
            .text(self.value)
            .markup("\" required");
        html.markup(self.attributes).markup(" aria-describedby=\"").markup(name).markup("-hint ").markup(name);
        html.markup("-wrong\"");
        html.markup(if is_wrong { " aria-invalid=\"true\">\n" } else { ">\n" });
        if is_wrong {
            html.markup("<p class=\"wrong\" id=\"").markup(name).element("-wrong\">", self.wrong, "</p>\n");
        }
        html.markup("<p class=\"hint\" id=\"").markup(name).element("-hint\">", self.hint, "</p>\n");
    }
}

/// The way from the page back to the project's own pages.
pub(super) enum Return<'r> {
    Success { config: &'r WhatsappConfigRow, status: &'r str },
    Failure { error: &'r str },
}
