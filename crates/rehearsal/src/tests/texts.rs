//! Languages, typed values and wishes in single texts.

use crate::language::{Language, detect};
use crate::scan::Scan;
use crate::wish::Wish;

#[test]
fn newest_text_with_a_hint_decides_the_language() {
    let of = |texts: &[&str]| detect(texts.iter().copied());
    assert_eq!(of(&["hola", "1042"]), Language::Spanish);
    assert_eq!(of(&["olá, bom dia", "ok", "no"]), Language::Portuguese);
    assert_eq!(of(&["hola, quiero saber de mi pedido", "sorry, I would like to write in English"]), Language::English);
    assert_eq!(of(&["¿cuándo llega?"]), Language::Spanish);
    assert_eq!(of(&["quando chega?"]), Language::Portuguese);
    assert_eq!(of(&["xyz"]), Language::English);
}

#[test]
fn code_is_no_date_time_phone_or_quantity() {
    let code = |text: &str| Scan::of(text).code();
    assert_eq!(code("my order is #1042, since 3 days").as_deref(), Some("1042"));
    assert_eq!(code("pedido AB-77/9.").as_deref(), Some("AB-77/9"));
    for text in ["el 12/05 a las 10:30", "for 2 people", "on 12 May", "+5491155551234", "the 2nd one", "nothing"] {
        assert_eq!(code(text), None, "{text}");
    }
}

#[test]
fn dates_and_names_come_back_as_written() {
    let date = |text: &str| Scan::of(text).date();
    assert_eq!(date("el 12 de mayo de 2027 por favor").as_deref(), Some("12 de mayo de 2027"));
    assert_eq!(date("May 12th works").as_deref(), Some("May 12th"));
    assert_eq!(date("mañana por la mañana").as_deref(), Some("mañana"));
    assert_eq!(date("next Friday?").as_deref(), Some("next Friday"));
    assert_eq!(date("na segunda").as_deref(), Some("segunda"));
    assert_eq!(date("quero segunda via do boleto"), None);
    let name = |text: &str| Scan::of(text).name();
    assert_eq!(name("hola, soy Ana María de la Cruz, quiero una cita").as_deref(), Some("Ana María de la Cruz"));
    assert_eq!(name("my name is bob and I wait"), Some("bob".to_owned()));
    assert_eq!(name("I'm waiting for my parcel"), None);
    assert_eq!(name("soy cliente"), None);
}

#[test]
fn number_with_the_asked_unit_is_found_first() {
    let mut scan = Scan::of("mesa para 4 personas, pedido 12");
    assert_eq!(scan.number(|next| next == "personas").as_deref(), Some("4"));
    assert_eq!(scan.number(|_| false).as_deref(), Some("12"));
}

#[test]
fn goodbyes_and_thanks_are_not_wishes() {
    let wish = |text: &str| Wish::read(text.to_owned());
    for text in ["bye", "no thanks, that's all", "no, gracias", "só isso, obrigado", "eso es todo por hoy"] {
        assert!(wish(text).closes(), "{text}");
    }
    for text in ["hello", "bye bye parcel, where is it?", "thanks, and my order?", "nada funciona"] {
        assert!(!wish(text).closes(), "{text}");
    }
    assert!(wish("¡muchas gracias!").is_only_thanks());
    assert!(wish("no.").is_only_no() && !wish("no llegó mi pedido").is_only_no());
    assert!(!wish("no necesito reembolso").meaning.has_topic());
    assert!(wish("no me llegó el pedido").meaning.has_topic());
}
