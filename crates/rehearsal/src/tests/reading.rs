//! The parts that read: languages, typed values, wishes.

use super::super::concepts::Concept;
use super::super::language::{Language, detect};
use super::super::scan::Scan;
use super::super::wish::Wish;

#[test]
fn the_newest_text_that_says_something_decides_the_language() {
    let of = |texts: &[&str]| detect(texts.iter().copied());
    assert_eq!(of(&["hola", "1042"]), Language::Spanish);
    assert_eq!(of(&["olá, bom dia", "ok", "no"]), Language::Portuguese);
    assert_eq!(of(&["hola, quiero saber de mi pedido", "sorry, I would like to write in English"]), Language::English);
    assert_eq!(of(&["¿cuándo llega?"]), Language::Spanish);
    assert_eq!(of(&["quando chega?"]), Language::Portuguese);
    assert_eq!(of(&["xyz"]), Language::English);
}

#[test]
fn codes_are_no_dates_times_phones_or_amounts() {
    let code = |text: &str| Scan::of(text).code();
    assert_eq!(code("my order is #1042, since 3 days").as_deref(), Some("1042"));
    assert_eq!(code("pedido AB-77/9.").as_deref(), Some("AB-77/9"));
    for text in ["el 12/05 a las 10:30", "for 2 people", "on 12 May", "+5491155551234", "the 2nd one", "nothing"] {
        assert_eq!(code(text), None, "{text}");
    }
}

#[test]
fn dates_times_and_names_come_back_as_written() {
    let date = |text: &str| Scan::of(text).date();
    assert_eq!(date("el 12 de mayo de 2027 por favor").as_deref(), Some("12 de mayo de 2027"));
    assert_eq!(date("May 12th works").as_deref(), Some("May 12th"));
    assert_eq!(date("mañana por la mañana").as_deref(), Some("mañana"));
    assert_eq!(date("next Friday?").as_deref(), Some("next Friday"));
    assert_eq!(date("na segunda").as_deref(), Some("segunda"));
    assert_eq!(date("quero segunda via do boleto"), None);
    let time = |text: &str| Scan::of(text).time();
    assert_eq!(time("a las 10").as_deref(), Some("10"));
    assert_eq!(time("às 14h30").as_deref(), Some("14h30"));
    assert_eq!(time("3 pm").as_deref(), Some("3 pm"));
    let name = |text: &str| Scan::of(text).name();
    assert_eq!(name("hola, soy Ana María de la Cruz, quiero una cita").as_deref(), Some("Ana María de la Cruz"));
    assert_eq!(name("my name is bob and I wait"), Some("bob".to_owned()));
    assert_eq!(name("I'm waiting for my parcel"), None);
    assert_eq!(name("soy cliente"), None);
}

#[test]
fn a_number_counts_what_stands_after_it() {
    let mut scan = Scan::of("mesa para 4 personas, pedido 12");
    assert_eq!(scan.integer(|next| next == "personas"), Some(4));
    assert_eq!(scan.integer(|_| false), Some(12));
    assert_eq!(Scan::of("somos dos").integer(|_| false), Some(2));
}

#[test]
fn thanks_and_goodbyes_are_told_from_wishes() {
    let wish = |text: &str| Wish::read(text.to_owned());
    for text in ["bye", "no thanks, that's all", "no, gracias", "só isso, obrigado", "eso es todo por hoy"] {
        assert!(wish(text).closes(), "{text}");
    }
    for text in ["hello", "bye bye parcel, where is it?", "thanks, and my order?", "nada funciona"] {
        assert!(!wish(text).closes(), "{text}");
    }
    assert!(wish("¡muchas gracias!").only_thanks());
    assert!(wish("no.").only_no() && !wish("no llegó mi pedido").only_no());
    assert!(!wish("no necesito reembolso").has(Concept::Refund));
    assert!(wish("no me llegó el pedido").has(Concept::Order));
}
