//! Which of its three languages to answer in.
//!
//! Counts small words and letters that tell English, Spanish and Portuguese apart. A text such as `1042` or `ok` says
//! nothing, so earlier texts decide then; the newest text that does say something weighs more than all before it.

use super::lexicon::{fold, words};

/// A language the rehearsal model speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// Also what is spoken when nothing gives a hint.
    English,
    Spanish,
    Portuguese,
}

impl Language {
    /// All of them, the default first.
    pub(super) const ALL: [Self; 3] = [Self::English, Self::Spanish, Self::Portuguese];

    /// The text of this language.
    pub(super) fn pick<T>(self, english: T, spanish: T, portuguese: T) -> T {
        match self {
            Self::English => english,
            Self::Spanish => spanish,
            Self::Portuguese => portuguese,
        }
    }
}

const ENGLISH: &str = " the is are was my your where what when how which who why i im ive id you we they it its this \
    that and or of to for with from have has had can could would will want need do does did not dont cant hi hello \
    hey please thanks thank yes bye goodbye good morning afternoon evening order about tell talk speak someone human \
    parcel package waiting there all nothing else much many been arrived yet still tomorrow today appointment book \
    cancel money number name got get give help ";

const SPANISH: &str = " el la los las es son mi mis tu su yo donde que cual como cuando cuanto quien porque quiero \
    quisiera necesito puedo puede tengo tiene hay hola buenos buenas dias tardes noches gracias por favor con una un \
    del y o si pero mas muy esta estoy estan ha he llegado hablar adios hasta luego eso todo nada cita pedido paquete \
    espero esperando alguien persona humano numero nombre llamo soy manana hoy lunes martes miercoles jueves viernes \
    sabado domingo al lo les ustedes usted cancelar reservar agendar ayuda precio chau mio dame ";

const PORTUGUESE: &str = " os as meu minha meus seu sua eu voce voces onde qual quando quanto quem porque quero \
    queria gostaria preciso posso pode tenho tem oi ola bom boa dia tarde noite obrigado obrigada valeu por favor com \
    uma um do da dos das na nos e ou sim nao mas mais muito esta estou estao chegou falar tchau ate logo isso so tudo \
    nada consulta pedido pacote encomenda esperando alguem pessoa humano numero nome chamo sou amanha hoje segunda \
    terca quarta quinta sexta sabado domingo ao pelo pela cancelar marcar agendar ajuda preco atendente ";

/// The language of a person's texts, oldest first.
pub(super) fn detect<'a>(texts: impl DoubleEndedIterator<Item = &'a str>) -> Language {
    let mut totals = [0.0_f64; 3];
    let mut weight = 1.0_f64;
    for text in texts.rev().take(20) {
        let points = points(text);
        let heaviest = points.iter().copied().fold(0.0, f64::max);
        if heaviest <= 0.0 {
            continue;
        }
        for (total, point) in totals.iter_mut().zip(points) {
            *total += weight * point / heaviest;
        }
        weight /= 3.0;
    }
    let mut best = 0;
    for index in 1..totals.len() {
        if totals[index] > totals[best] {
            best = index;
        }
    }
    Language::ALL[best]
}

/// How much speaks for each language, in the order of [`Language::ALL`].
fn points(text: &str) -> [f64; 3] {
    let mut points = [0.0; 3];
    for word in &words(text).list {
        let known = [ENGLISH, SPANISH, PORTUGUESE].map(|list| holds(list, word));
        let share = match known.iter().filter(|known| **known).count() {
            0 => continue,
            1 => 1.0,
            _ => 0.3,
        };
        for (point, known) in points.iter_mut().zip(known) {
            if known {
                *point += share;
            }
        }
    }
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            'ñ' | '¿' | '¡' => points[1] += 1.0,
            'ã' | 'õ' | 'ç' | 'ê' | 'ô' | 'â' | 'à' => points[2] += 1.0,
            'á' | 'é' | 'í' | 'ó' | 'ú' => {
                points[1] += 0.2;
                points[2] += 0.2;
            }
            _ => {}
        }
    }
    points
}

/// The language of a text when it gives a hint at all.
pub(super) fn of_text(text: &str) -> Option<Language> {
    (points(text) != [0.0; 3]).then(|| detect([text].into_iter()))
}

fn holds(list: &str, word: &str) -> bool {
    let word = fold(word);
    list.match_indices(word.as_str())
        .any(|(at, found)| list[..at].ends_with(' ') && list[at + found.len()..].starts_with(' '))
}
