//! Automatic answers of the sandbox number, in English, Spanish and Portuguese.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Activated,
    NotYourCode,
    HiddenNumber,
    Expired,
    UnknownCode,
    NoSession,
}

pub(super) const fn sentence(answer: Answer, language: &str) -> &'static str {
    let [en, es, pt] = match answer {
        Answer::Activated => [
            "You're connected: write to the agent now.",
            "Conexión lista: ya puedes escribir al agente.",
            "Tudo conectado: já pode escrever para o agente.",
        ],
        Answer::NotYourCode => [
            "This code belongs to another phone number; nothing was activated.",
            "Este código es de otro número de teléfono; no se activó nada.",
            "Este código é de outro número de telefone; nada foi ativado.",
        ],
        Answer::HiddenNumber => [
            "Your phone number is hidden, so a sandbox session cannot be opened from here.",
            "Tu número de teléfono está oculto, así que no se puede abrir una sesión de prueba desde aquí.",
            "Seu número de telefone está oculto, então não é possível abrir uma sessão de teste por aqui.",
        ],
        Answer::Expired => [
            "This code has expired; ask for a new sandbox session.",
            "Este código ya venció; pide una nueva sesión de prueba.",
            "Este código expirou; peça uma nova sessão de teste.",
        ],
        Answer::UnknownCode => [
            "This code is not known; check it and send it again.",
            "Este código no existe; revísalo y envíalo de nuevo.",
            "Este código não existe; confira e envie de novo.",
        ],
        Answer::NoSession => [
            "This is a test number: send the code of your sandbox session to start.",
            "Este es un número de prueba: envía el código de tu sesión para empezar.",
            "Este é um número de teste: envie o código da sua sessão para começar.",
        ],
    };
    match language.as_bytes() {
        b"es" => es,
        b"pt" => pt,
        _ => en,
    }
}
