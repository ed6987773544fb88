//! Messages of the demo's customer in three languages.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// Spanish
    Es,
    /// Portuguese
    Pt,
}

/// Customer and messages of a demo.
pub struct Script {
    /// Its country code determines the sandbox's language.
    pub phone: &'static str,
    /// Constant, so that a database that is used twice has the same contact.
    pub user_id: &'static str,
    /// Profile name.
    pub name: &'static str,
    /// Messages sent in quick succession.
    pub burst: [&'static str; 3],
    /// Number of an order in the sample order service.
    pub order: &'static str,
    /// Request for a person.
    pub ask_for_person: &'static str,
    /// Message to the person during the handoff.
    pub to_person: &'static str,
    /// Result of the handoff, given to the agent at the resume.
    pub outcome: &'static str,
    /// Message that ends the request.
    pub enough: &'static str,
    /// Last message, repeated if the agent asks once more.
    pub goodbye: &'static str,
}

impl Language {
    pub const fn script(self) -> &'static Script {
        match self {
            Self::En => &ENGLISH,
            Self::Es => &SPANISH,
            Self::Pt => &PORTUGUESE,
        }
    }
}

const ORDER: &str = "1042";

const ENGLISH: Script = Script {
    phone: "+15557770002",
    user_id: "US.2009000000000002",
    name: "Bob Miller",
    burst: ["hi", "I'm waiting for a parcel", "where is my order?"],
    order: ORDER,
    ask_for_person: "can I talk to a human?",
    to_person: "thanks for taking over. Can it come in the evening?",
    outcome: "A colleague arranged delivery in the evening.",
    enough: "no thanks, that's all",
    goodbye: "bye",
};

const SPANISH: Script = Script {
    phone: "+5215512345678",
    user_id: "MX.4009000000000004",
    name: "Carmen Ruiz",
    burst: ["hola", "estoy esperando un paquete", "¿dónde está mi pedido?"],
    order: ORDER,
    ask_for_person: "¿puedo hablar con una persona?",
    to_person: "gracias por atenderme. ¿Puede llegar por la tarde?",
    outcome: "Una colega acordó la entrega por la tarde.",
    enough: "no gracias, eso es todo",
    goodbye: "chau",
};

const PORTUGUESE: Script = Script {
    phone: "+5511999990001",
    user_id: "BR.1009000000000001",
    name: "Ana Souza",
    burst: ["oi", "estou esperando uma encomenda", "cadê meu pedido?"],
    order: ORDER,
    ask_for_person: "posso falar com uma pessoa?",
    to_person: "obrigada por atender. Pode chegar à noite?",
    outcome: "Uma colega combinou a entrega à noite.",
    enough: "não, obrigada, é só isso",
    goodbye: "tchau",
};
