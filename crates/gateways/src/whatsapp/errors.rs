//! Classes of Meta's error codes (docs/spec/whatsapp-cloud-api.md 3).
//!
//! The code decides, not the text. A known code also outweighs the HTTP status, since the same code
//! arrives with several.

/// The reaction to an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The token is invalid: suspend the number, alert, keep the queue.
    Auth,
    /// Rate limited: wait, keep the order.
    Throttle,
    /// An error at Meta: the message may or may not be sent.
    Server,
    /// This message can never be sent.
    Permanent,
    /// An operator must fix the number, the account or a template.
    Config,
    /// The 24-hour window is closed: only a template can be sent.
    Window,
}

use ErrorClass::{Auth, Config, Permanent, Server, Throttle, Window};

/// Code, class, meaning.
pub const CODES: &[(i64, ErrorClass, &str)] = &[
    (0, Auth, "cannot authenticate"),
    (1, Server, "unknown API error"),
    (2, Server, "temporary, overloaded"),
    (3, Config, "capability or permission"),
    (4, Throttle, "app call rate"),
    (10, Config, "permission missing"),
    (33, Config, "number deleted or bad parameter value"),
    (100, Permanent, "invalid parameter"),
    (190, Auth, "token expired or invalid"),
    (368, Config, "blocked for policy"),
    (613, Throttle, "call limit"),
    (80007, Throttle, "WABA rate limit"),
    (130429, Throttle, "number throughput"),
    (130472, Permanent, "user in a marketing experiment"),
    (130497, Permanent, "country restricted"),
    (131000, Server, "something went wrong"),
    (131005, Config, "access denied"),
    (131008, Permanent, "required parameter missing"),
    (131009, Permanent, "parameter value invalid"),
    (131016, Server, "service unavailable"),
    (131021, Permanent, "recipient is the sender"),
    (131026, Permanent, "undeliverable"),
    (131030, Config, "not in the test number's allow list"),
    (131031, Config, "account locked"),
    (131037, Config, "display name not approved"),
    (131042, Config, "payment problem"),
    (131045, Config, "registration certificate"),
    (131047, Window, "24-hour window closed"),
    (131048, Throttle, "spam rate limit"),
    (131049, Permanent, "per-user marketing limit"),
    (131050, Permanent, "user opted out of marketing"),
    (131051, Permanent, "unsupported message type"),
    (131052, Permanent, "inbound media not downloadable"),
    (131053, Permanent, "outbound media upload failed"),
    (131055, Permanent, "method not allowed"),
    (131056, Throttle, "pair rate limit"),
    (131057, Server, "account in maintenance"),
    (131062, Permanent, "recipient without phone number not supported"),
    (131063, Config, "marketing templates off on Cloud API"),
    (131064, Throttle, "messaging limit after classification violations"),
    (132000, Permanent, "template parameter count"),
    (132001, Config, "template missing in this language or not approved"),
    (132005, Permanent, "translated text too long"),
    (132007, Permanent, "content policy"),
    (132008, Permanent, "template parameter value"),
    (132012, Permanent, "template parameter format"),
    (132015, Config, "template paused"),
    (132016, Config, "template disabled"),
    (132018, Permanent, "template parameter text"),
    (132068, Config, "flow blocked"),
    (132069, Throttle, "flow throttled"),
    (133000, Config, "incomplete deregistration"),
    (133004, Server, "registration temporarily unavailable"),
    (133005, Config, "PIN mismatch"),
    (133006, Config, "number needs verification"),
    (133008, Throttle, "too many PIN guesses"),
    (133009, Throttle, "PIN guesses too fast"),
    (133010, Config, "number not registered"),
    (133015, Throttle, "recently deleted"),
    (133016, Throttle, "too many registrations"),
    (134011, Config, "payments terms"),
    (135000, Permanent, "generic, bad request"),
    (137000, Permanent, "identity key mismatch"),
];

/// `http` and `is_transient` count only for unknown codes.
pub fn classify(http: u16, code: Option<i64>, is_transient: bool) -> ErrorClass {
    if let Some(code) = code {
        if let Some((_, class, _)) = CODES.iter().find(|(known, _, _)| *known == code) {
            return *class;
        }
        if (200..=299).contains(&code) {
            return Config;
        }
    }
    match http {
        _ if is_transient => Server,
        // A gateway timeout: the result is uncertain.
        408 | 500.. => Server,
        429 => Throttle,
        401 => Auth,
        403 => Config,
        _ => Permanent,
    }
}

pub fn meaning(code: i64) -> Option<&'static str> {
    CODES.iter().find(|(known, _, _)| *known == code).map(|(_, _, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sorted() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn known_code_outweighs_the_status() {
        for http in [200, 400, 401, 403, 429, 500, 503] {
            assert_eq!(classify(http, Some(131_047), true), Window);
            assert_eq!(classify(http, Some(130_429), false), Throttle);
            assert_eq!(classify(http, Some(190), false), Auth);
            assert_eq!(classify(http, Some(131_000), false), Server);
            assert_eq!(classify(http, Some(250), false), Config);
        }
    }

    #[test]
    fn unknown_code_is_classified_by_status() {
        for code in [None, Some(2_388_024), Some(999_999)] {
            assert_eq!(classify(500, code, false), Server);
            assert_eq!(classify(502, code, false), Server);
            assert_eq!(classify(408, code, false), Server);
            assert_eq!(classify(400, code, true), Server);
            assert_eq!(classify(429, code, false), Throttle);
            assert_eq!(classify(401, code, false), Auth);
            assert_eq!(classify(403, code, false), Config);
            assert_eq!(classify(400, code, false), Permanent);
        }
    }
}
