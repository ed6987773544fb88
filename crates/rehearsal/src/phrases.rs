//! Everything the rehearsal model says of its own accord, in three languages.
//!
//! Short, as on WhatsApp, and honest: no sentence claims to come from an AI or from a human being, and the label says
//! what is answering.

use super::language::Language;
use super::terms::Noun;

/// Stands under the first text of a conversation.
pub(super) fn label(language: Language) -> &'static str {
    language.pick(
        "[rehearsal model, not an AI]",
        "[modelo de ensayo, no es una IA]",
        "[modelo de ensaio, não é uma IA]",
    )
}

pub(super) fn hello(language: Language) -> &'static str {
    language.pick("Hi!", "¡Hola!", "Olá!")
}

/// A greeting with whom one has reached and what the chat is for, where the agent's instructions say so.
pub(super) fn greeting(language: Language, place: Option<&str>, purpose: Option<&str>) -> String {
    let mut text = hello(language).to_owned();
    if let Some(place) = place {
        text += &match language {
            Language::English => format!(" You have reached {place}."),
            Language::Spanish => format!(" Te has comunicado con {place}."),
            Language::Portuguese => format!(" Este é o canal de {place}."),
        };
    }
    if let Some(purpose) = purpose {
        text += &match language {
            Language::English => format!(" This chat helps {purpose}."),
            Language::Spanish => format!(" Este chat ayuda {purpose}."),
            Language::Portuguese => format!(" Este chat ajuda {purpose}."),
        };
    }
    text.push(' ');
    text += language.pick("How can I help you?", "¿En qué te puedo ayudar?", "Como posso ajudar?");
    text
}

/// The answer to "are you a person?".
pub(super) fn identity(language: Language) -> &'static str {
    language.pick(
        "I am a rehearsal model: an automated stand-in, neither a person nor an AI.",
        "Soy un modelo de ensayo: un sustituto automático, ni una persona ni una IA.",
        "Sou um modelo de ensaio: um substituto automático, nem uma pessoa nem uma IA.",
    )
}

pub(super) fn welcome_back(language: Language) -> &'static str {
    language.pick(
        "Hi again, I am taking over from here. Is there anything else I can help you with?",
        "Hola de nuevo, sigo yo desde aquí. ¿Hay algo más en lo que te pueda ayudar?",
        "Olá de novo, eu continuo daqui. Posso ajudar com mais alguma coisa?",
    )
}

/// Asks for one thing.
pub(super) fn ask(language: Language, what: &Wanted) -> String {
    let please = language.pick("Could you tell me", "¿Me dices", "Você pode me dizer");
    match what {
        Wanted::Known(noun) => match language {
            Language::English => format!("{please} {}, please?", noun.definite),
            _ => format!("{please} {}, por favor?", noun.definite),
        },
        Wanted::Unknown(text) => match language {
            Language::English => format!("There is one thing I need to know: {text}. {please}, please?"),
            Language::Spanish => format!("Me falta un dato: {text}. ¿Me lo dices, por favor?"),
            Language::Portuguese => format!("Falta um dado: {text}. {please}, por favor?"),
        },
    }
}

/// Something asked for: by a noun of our dictionary, or in the words of the agent's author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Known(Noun),
    Unknown(String),
}

impl Wanted {
    /// The words that stand in a question about it.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Known(noun) => &noun.definite,
            Self::Unknown(text) => text,
        }
    }
}

/// "(one of: a, b, c)".
pub(super) fn choices(language: Language, values: &[String]) -> String {
    let one_of = language.pick("You can choose", "Puedes elegir", "Você pode escolher");
    let or = language.pick("or", "o", "ou");
    match values {
        [] => String::new(),
        [only] => format!("{one_of}: {only}."),
        [first @ .., last] => format!("{one_of}: {} {or} {last}.", first.join(", ")),
    }
}

pub(super) fn happy_to_help(language: Language) -> &'static str {
    language.pick("Happy to help with that.", "Con gusto te ayudo.", "Claro, eu ajudo com isso.")
}

pub(super) fn thanks_for_that(language: Language) -> &'static str {
    language.pick("Thank you.", "Gracias.", "Certo.")
}

pub(super) fn still_missing(language: Language) -> &'static str {
    language.pick(
        "I did not find it in your message.",
        "No lo encontré en tu mensaje.",
        "Não encontrei na sua mensagem.",
    )
}

/// The person has not got what was asked for.
pub(super) fn cannot_without(language: Language, what: &Wanted) -> String {
    let what = what.text();
    match language {
        Language::English => format!("No problem. Without {what} I cannot look any further, I am afraid."),
        Language::Spanish => format!("No hay problema. Lamentablemente, sin {what} no puedo seguir."),
        Language::Portuguese => format!("Sem problema. Infelizmente, sem {what} não consigo continuar."),
    }
}

/// A question that can be answered with "yes".
pub(super) fn offer_person(language: Language) -> &'static str {
    language.pick(
        "Would you like me to pass you on to a person?",
        "¿Quieres que te pase con una persona?",
        "Quer que eu passe você para uma pessoa?",
    )
}

pub(super) fn send_when_found(language: Language) -> &'static str {
    language.pick(
        "Just send it here when you have it.",
        "Envíalo por aquí cuando lo tengas.",
        "Envie por aqui quando tiver.",
    )
}

pub(super) fn no_person_here(language: Language) -> &'static str {
    language.pick(
        "I am sorry, I cannot pass you on to a person from here. Tell me what you need and I will do what I can.",
        "Lo siento, desde aquí no puedo pasarte con una persona. Cuéntame qué necesitas y haré lo posible.",
        "Desculpe, daqui não consigo passar você para uma pessoa. Diga do que precisa e farei o possível.",
    )
}

pub(super) fn anything_else(language: Language) -> &'static str {
    language.pick(
        "Is there anything else I can help you with?",
        "¿Te puedo ayudar en algo más?",
        "Posso ajudar em mais alguma coisa?",
    )
}

/// The question of a closing step before the person has said goodbye.
pub(super) fn before_goodbye(language: Language) -> &'static str {
    language.pick(
        "Before we say goodbye: is there anything else I can help you with?",
        "Antes de despedirnos: ¿te puedo ayudar en algo más?",
        "Antes de nos despedirmos: posso ajudar em mais alguma coisa?",
    )
}

pub(super) fn farewell(language: Language) -> &'static str {
    language.pick(
        "Thank you for writing to us. If anything else comes up, just send a message here. Have a nice day!",
        "Gracias por escribirnos. Si surge algo más, solo envía un mensaje por aquí. ¡Que tengas un buen día!",
        "Agradecemos o contato. Se surgir mais alguma coisa, é só mandar uma mensagem por aqui. Tenha um bom dia!",
    )
}

pub(super) fn of_course(language: Language) -> &'static str {
    language.pick("Of course. What can I do for you?", "Claro que sí. ¿Qué necesitas?", "Claro. Do que você precisa?")
}

pub(super) fn all_right(language: Language) -> &'static str {
    language.pick(
        "All right. If you need anything else, just write here.",
        "Muy bien. Si necesitas algo más, escribe por aquí.",
        "Tudo certo. Se precisar de mais alguma coisa, é só escrever por aqui.",
    )
}

/// Nothing fits; the first time.
pub(super) fn unclear(language: Language) -> &'static str {
    language.pick(
        "I am not sure I understand. Could you tell me in a few words what you need?",
        "Creo que no entendí bien. ¿Me cuentas en pocas palabras qué necesitas?",
        "Acho que não entendi bem. Pode me dizer em poucas palavras do que precisa?",
    )
}

/// Understood, but nothing here serves it.
pub(super) fn not_here(language: Language) -> &'static str {
    language.pick(
        "I am sorry, I cannot help with that here.",
        "Lo siento, por aquí no puedo ayudarte con eso.",
        "Desculpe, por aqui não consigo ajudar com isso.",
    )
}

/// Nothing fits; once more.
pub(super) fn still_unclear(language: Language) -> &'static str {
    language.pick(
        "I am sorry, I still cannot help with that here. Could you put it another way?",
        "Lo siento, todavía no puedo ayudarte con eso por aquí. ¿Me lo dices de otra manera?",
        "Desculpe, ainda não consigo ajudar com isso por aqui. Pode dizer de outra forma?",
    )
}

pub(super) fn unreachable(language: Language) -> &'static str {
    language.pick(
        "I am sorry, I cannot reach the system right now.",
        "Lo siento, en este momento no puedo consultar el sistema.",
        "Desculpe, não consigo acessar o sistema agora.",
    )
}

pub(super) fn try_later(language: Language) -> &'static str {
    language.pick(
        "Could you try again in a few minutes?",
        "¿Puedes intentarlo de nuevo en unos minutos?",
        "Pode tentar de novo em alguns minutos?",
    )
}

/// Nothing was found; `what` is the thing with its number, `check` the argument to look at again.
pub(super) fn not_found(language: Language, what: Option<&str>, check: Option<&str>) -> String {
    let mut text = match (language, what) {
        (Language::English, Some(what)) => format!("I am sorry, I could not find {what}."),
        (Language::English, None) => "I am sorry, I could not find anything.".to_owned(),
        (Language::Spanish, Some(what)) => format!("Lo siento, no encontré {what}."),
        (Language::Spanish, None) => "Lo siento, no encontré nada.".to_owned(),
        (Language::Portuguese, Some(what)) => format!("Desculpe, não encontrei {what}."),
        (Language::Portuguese, None) => "Desculpe, não encontrei nada.".to_owned(),
    };
    text.push(' ');
    text += &match (language, check) {
        (Language::English, Some(check)) => format!("Could you check {check} and send it again?"),
        (Language::English, None) => "Could you check the details and send them again?".to_owned(),
        (Language::Spanish, Some(check)) => format!("¿Puedes revisar {check} y enviarlo de nuevo?"),
        (Language::Spanish, None) => "¿Puedes revisar los datos y enviarlos de nuevo?".to_owned(),
        (Language::Portuguese, Some(check)) => format!("Pode conferir {check} e enviar de novo?"),
        (Language::Portuguese, None) => "Pode conferir os dados e enviar de novo?".to_owned(),
    };
    text
}

/// The reason of a move, for those who read the log or take over.
pub(super) fn reason(language: Language, text: &str) -> String {
    match language {
        Language::English => format!("The person wrote: “{text}”"),
        Language::Spanish => format!("La persona escribió: «{text}»"),
        Language::Portuguese => format!("A pessoa escreveu: “{text}”"),
    }
}
