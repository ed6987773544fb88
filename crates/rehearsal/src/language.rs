//! Detects which of three languages to answer in.
//!
//! Counts small words and letters that differ between English, Spanish and Portuguese. A text such
//! as `1042` or `ok` gives no hint, so the newest text that does decides.

use crate::text::{is_in, words};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Also used where no text gives a hint.
    English,
    Spanish,
    Portuguese,
}

/// A text in all languages, in the order of [`Language::ALL`]; `{}` stands for a value.
pub(crate) type Phrase = [&'static str; 3];

impl Language {
    pub(crate) const ALL: [Self; 3] = [Self::English, Self::Spanish, Self::Portuguese];

    pub(crate) fn pick<T: Copy>(self, texts: [T; 3]) -> T {
        texts[self as usize]
    }

    pub(crate) fn fill(self, phrase: Phrase, value: &str) -> String {
        self.pick(phrase).replace("{}", value)
    }
}

/// True if the text holds the phrase in any language.
pub(crate) fn contains_phrase(text: &str, phrase: Phrase) -> bool {
    phrase.iter().any(|one| text.contains(one))
}

const SMALL_WORDS: Phrase = [
    "the is are was my your where what when what how which who why i im ive id you we they it its this that and or of \
     to for with from have has had can could would will want need do does did not dont cant hi hello hey please thanks \
     thank yes bye goodbye good morning afternoon evening order about tell talk speak someone human parcel package \
     waiting there all nothing else much many been arrived yet still tomorrow today appointment book cancel money \
     number name got get give help",
    "el la los las es son mi mis tu su yo donde que cual como cuando cuanto quien porque quiero quisiera necesito puedo \
     puede tengo tiene hay hola buenos buenas dias tardes noches gracias por favor con una un del y o si pero mas muy \
     esta estoy estan ha he llegado hablar adios hasta luego eso todo nada cita pedido paquete espero esperando alguien \
     persona humano numero nombre llamo soy manana hoy lunes martes miercoles jueves viernes sabado domingo al lo les \
     ustedes usted cancelar reservar agendar ayuda precio chau mio dame",
    "os as meu minha meus seu sua seus eu voce voces onde qual quando quanto quem porque quero queria gostaria preciso \
     posso pode tenho tem oi ola bom boa dia tarde noite obrigado obrigada valeu por favor com uma um do da dos das na \
     nos e ou sim nao mas mais muito esta estou estao chegou falar tchau ate logo isso so tudo nada consulta pedido \
     pacote encomenda esperando alguem pessoa humano numero nome chamo sou amanha hoje segunda terca quarta quinta \
     sexta sabado domingo ao pelo pela cancelar marcar agendar ajuda preco atendente",
];

/// The language of the contact's texts, oldest first.
pub(crate) fn detect<'a>(texts: impl DoubleEndedIterator<Item = &'a str>) -> Language {
    let found: Vec<(Language, bool)> = texts.rev().take(20).filter_map(best).collect();
    let clear = found.iter().find(|(_, clear)| *clear);
    clear.or(found.first()).map_or(Language::English, |(language, _)| *language)
}

/// The likeliest language, and whether no other is as likely.
fn best(text: &str) -> Option<(Language, bool)> {
    let mut points = [0; 3];
    for word in &words(text).list {
        let known = SMALL_WORDS.map(|list| is_in(list, word));
        let share = if known.iter().filter(|known| **known).count() == 1 { 10 } else { 3 };
        for (point, known) in points.iter_mut().zip(known) {
            *point += share * u32::from(known);
        }
    }
    for character in text.chars().flat_map(char::to_lowercase) {
        points[1] += if "ñ¿¡".contains(character) { 10 } else { 2 * u32::from("áéíóú".contains(character)) };
        points[2] +=
            if "ãõçêôâà".contains(character) { 10 } else { 2 * u32::from("áéíóú".contains(character)) };
    }
    let most = points.into_iter().max().filter(|most| *most > 0)?;
    let mut best = Language::ALL.into_iter().zip(points).filter(|(_, point)| *point == most);
    best.next().map(|(language, _)| (language, best.next().is_none()))
}
