//! What the customer of the demo says, in three languages.

use clap::ValueEnum;

/// The customer's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// Spanish
    Es,
    /// Portuguese
    Pt,
}

/// One customer's lines.
pub struct Script {
    /// Its country decides in which language the sandbox answers.
    pub phone: &'static str,
    /// The same in each run, as a person's is: a database that is used twice knows this contact again.
    pub user_id: &'static str,
    /// The profile's name.
    pub name: &'static str,
    /// Sent quickly one after the other.
    pub burst: [&'static str; 3],
    /// The order asked for; the sample order service knows it.
    pub order: &'static str,
    /// A wish for a person.
    pub human: &'static str,
    /// Said to the person who took over.
    pub to_human: &'static str,
    /// What the person found out, handed back to the agent.
    pub outcome: &'static str,
    /// Nothing more is wanted.
    pub enough: &'static str,
    /// The last word, repeated if the agent asks once more.
    pub goodbye: &'static str,
}

impl Language {
    /// The lines in this language.
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
    human: "can I talk to a human?",
    to_human: "thanks for taking over. Can it come in the evening?",
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
    human: "¿puedo hablar con una persona?",
    to_human: "gracias por atenderme. ¿Puede llegar por la tarde?",
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
    human: "posso falar com uma pessoa?",
    to_human: "obrigada por atender. Pode chegar à noite?",
    outcome: "Uma colega combinou a entrega à noite.",
    enough: "não, obrigada, é só isso",
    goodbye: "tchau",
};
