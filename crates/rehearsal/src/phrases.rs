//! Everything that the rehearsal model says of its own accord, in three languages.
//!
//! Short, as on WhatsApp. No sentence claims to come from an AI or from a person.

use crate::language::Phrase;

/// Under the first text of a conversation.
pub(crate) const LABEL: Phrase =
    ["[rehearsal model, not an AI]", "[modelo de ensayo, no es una IA]", "[modelo de ensaio, não é uma IA]"];
pub(crate) const HELLO: Phrase = ["Hi!", "¡Hola!", "Olá!"];
pub(crate) const HELLO_AND_HELP: Phrase =
    ["Hi! How can I help you?", "¡Hola! ¿En qué te puedo ayudar?", "Olá! Como posso ajudar?"];
pub(crate) const IDENTITY: Phrase = [
    "I am a rehearsal model: an automated stand-in, neither a person nor an AI.",
    "Soy un modelo de ensayo: un sustituto automático, ni una persona ni una IA.",
    "Sou um modelo de ensaio: um substituto automático, nem uma pessoa nem uma IA.",
];
pub(crate) const WELCOME_BACK: Phrase = [
    "Hi again, I am taking over from here. Is there anything else I can help you with?",
    "Hola de nuevo, sigo yo desde aquí. ¿Hay algo más en lo que te pueda ayudar?",
    "Olá de novo, eu continuo daqui. Posso ajudar com mais alguma coisa?",
];
pub(crate) const ANYTHING_ELSE: Phrase = [
    "Is there anything else I can help you with?",
    "¿Te puedo ayudar en algo más?",
    "Posso ajudar em mais alguma coisa?",
];
/// A question that "yes" answers.
pub(crate) const OFFER_PERSON: Phrase = [
    "Would you like me to pass you on to a person?",
    "¿Quieres que te pase con una persona?",
    "Quer que eu passe você para uma pessoa?",
];
pub(crate) const FAREWELL: Phrase = [
    "Thank you for writing to us. If anything else comes up, just send a message here. Have a nice day!",
    "Gracias por escribirnos. Si surge algo más, solo envía un mensaje por aquí. ¡Que tengas un buen día!",
    "Agradecemos o contato. Se surgir mais alguma coisa, é só mandar uma mensagem por aqui. Tenha um bom dia!",
];
pub(crate) const OF_COURSE: Phrase =
    ["Of course. What can I do for you?", "Claro que sí. ¿Qué necesitas?", "Claro. Do que você precisa?"];
pub(crate) const ALL_RIGHT: Phrase = [
    "All right. If you need anything else, just write here.",
    "Muy bien. Si necesitas algo más, escribe por aquí.",
    "Tudo certo. Se precisar de mais alguma coisa, é só escrever por aqui.",
];
pub(crate) const UNCLEAR: Phrase = [
    "I am not sure I understand. Could you tell me in a few words what you need?",
    "Creo que no entendí bien. ¿Me cuentas en pocas palabras qué necesitas?",
    "Acho que não entendi bem. Pode me dizer em poucas palavras do que precisa?",
];
/// Understood, but nothing here serves it.
pub(crate) const NOT_HERE: Phrase = [
    "I am sorry, I cannot help with that here.",
    "Lo siento, por aquí no puedo ayudarte con eso.",
    "Desculpe, por aqui não consigo ajudar com isso.",
];

// Questions for arguments.
pub(crate) const HAPPY_TO_HELP: Phrase =
    ["Happy to help with that.", "Con gusto te ayudo.", "Claro, eu ajudo com isso."];
pub(crate) const THANK_YOU: Phrase = ["Thank you.", "Gracias.", "Certo."];
pub(crate) const NOT_IN_YOUR_MESSAGE: Phrase =
    ["I did not find it in your message.", "No lo encontré en tu mensaje.", "Não encontrei na sua mensagem."];
pub(crate) const ASK: Phrase =
    ["Could you tell me {}, please?", "¿Me dices {}, por favor?", "Você pode me dizer {}, por favor?"];
/// For an argument that only its author's words describe.
pub(crate) const ASK_UNKNOWN: Phrase = [
    "There is one thing I need to know: {}. Could you tell me, please?",
    "Me falta un dato: {}. ¿Me lo dices, por favor?",
    "Falta um dado: {}. Você pode me dizer, por favor?",
];
pub(crate) const CHOICES: Phrase = ["You can choose: {}.", "Puedes elegir: {}.", "Você pode escolher: {}."];
pub(crate) const CANNOT_WITHOUT: Phrase = [
    "No problem. Without {} I cannot look any further, I am afraid.",
    "No hay problema. Lamentablemente, sin {} no puedo seguir.",
    "Sem problema. Infelizmente, sem {} não consigo continuar.",
];

// Results of tools.
pub(crate) const NOT_FOUND: Phrase =
    ["I am sorry, I could not find {}.", "Lo siento, no encontré {}.", "Desculpe, não encontrei {}."];
pub(crate) const CHECK: Phrase = [
    "Could you check {} and write again?",
    "¿Puedes revisar {} y escribir de nuevo?",
    "Pode conferir {} e escrever de novo?",
];
pub(crate) const UNREACHABLE: Phrase = [
    "I am sorry, I cannot reach the system right now.",
    "Lo siento, en este momento no puedo consultar el sistema.",
    "Desculpe, não consigo acessar o sistema agora.",
];
pub(crate) const TRY_LATER: Phrase = [
    "Could you try again in a few minutes?",
    "¿Puedes intentarlo de nuevo en unos minutos?",
    "Pode tentar de novo em alguns minutos?",
];
pub(crate) const FOUND: Phrase = ["Here is what I found:", "Esto es lo que encontré:", "Isto é o que encontrei:"];
pub(crate) const FOUND_ABOUT: Phrase =
    ["Here is what I found about {}:", "Esto es lo que encontré sobre {}:", "Isto é o que encontrei sobre {}:"];
pub(crate) const FOUND_THIS: Phrase = ["I found this: {}.", "Encontré esto: {}.", "Encontrei isto: {}."];
pub(crate) const STATUS_OF: Phrase = ["The status of {} is: ", "El estado de {} es: ", "A situação d{} é: "];
pub(crate) const ARRIVES: Phrase = [" and should arrive on {}", " y debería llegar el {}", " e deve chegar em {}"];

/// The reason of a move, for those who read the log.
pub(crate) const REASON: Phrase = ["The person wrote: “{}”", "La persona escribió: «{}»", "A pessoa escreveu: “{}”"];
