//! The demo agent.

use serde_json::json;

use super::chat::{Chat, agent};

fn shop() -> Chat {
    Chat::with(agent("shop-agent.json"), |tool, arguments| {
        assert_eq!(tool, "orders_request");
        match arguments["order_number"].as_str() {
            Some("1042") => json!({"status_code": 200, "content": {
                "order_number": "1042", "status": "shipped", "carrier": "Correo Andino", "eta": "2026-11-25"}}),
            Some("1043") => json!({"status_code": 200, "content": {
                "order_number": "1043", "status": "processing", "total": 24.9, "currency": "EUR",
                "items": [{"name": "Blue notebook", "quantity": 2}, {"name": "Pen", "quantity": 1}], "gift": false}}),
            Some("500") => json!({"error": "connect_timeout"}),
            _ => json!({"status_code": 404, "content": {"error": "not found"}}),
        }
    })
}

/// Plays the whole demo and returns its transcript.
fn demo(texts: [&str; 5]) -> String {
    let mut chat = shop();
    for text in &texts[..3] {
        chat.contact_sends(text);
    }
    chat.resume(json!({"resolved": true}));
    for text in &texts[3..] {
        chat.contact_sends(text);
    }
    chat.log.join("\n")
}

#[test]
fn demo_in_english() {
    let log = demo([
        "hi\nI'm waiting for a parcel\nwhere is my order?",
        "1042",
        "can I talk to a human?",
        "no thanks, that's all",
        "bye",
    ]);
    assert_eq!(
        log,
        "contact: hi / I'm waiting for a parcel / where is my order?\n\
         → order_status\n\
         agent: Hi! Happy to help with that. Could you tell me the order number, please?\n\
         [rehearsal model, not an AI]\n\
         contact: 1042\n\
         orders_request {\"order_number\":\"1042\"}\n\
         agent: Your order 1042 has been shipped and should arrive on 25 November. Carrier: Correo Andino. \
         Is there anything else I can help you with?\n\
         contact: can I talk to a human?\n\
         → human\n\
         -- resumed --\n\
         agent: Hi again, I am taking over from here. Is there anything else I can help you with?\n\
         contact: no thanks, that's all\n\
         → warm_goodbye\n\
         agent: Thank you for writing to us. If anything else comes up, just send a message here. Have a nice day!\n\
         contact: bye\n\
         → __end__"
    );
}

#[test]
fn demo_in_spanish() {
    let log = demo([
        "hola\nestoy esperando un paquete\n¿dónde está mi pedido?",
        "1042",
        "¿puedo hablar con una persona?",
        "no gracias, eso es todo",
        "chau",
    ]);
    assert_eq!(
        log,
        "contact: hola / estoy esperando un paquete / ¿dónde está mi pedido?\n\
         → order_status\n\
         agent: ¡Hola! Con gusto te ayudo. ¿Me dices el número de pedido, por favor?\n\
         [modelo de ensayo, no es una IA]\n\
         contact: 1042\n\
         orders_request {\"order_number\":\"1042\"}\n\
         agent: Tu pedido 1042 ya fue enviado y debería llegar el 25 de noviembre. \
         Empresa de transporte: Correo Andino. ¿Te puedo ayudar en algo más?\n\
         contact: ¿puedo hablar con una persona?\n\
         → human\n\
         -- resumed --\n\
         agent: Hola de nuevo, sigo yo desde aquí. ¿Hay algo más en lo que te pueda ayudar?\n\
         contact: no gracias, eso es todo\n\
         → warm_goodbye\n\
         agent: Gracias por escribirnos. Si surge algo más, solo envía un mensaje por aquí. ¡Que tengas un buen día!\n\
         contact: chau\n\
         → __end__"
    );
}

#[test]
fn demo_in_portuguese() {
    let log = demo([
        "oi\nestou esperando uma encomenda\ncadê meu pedido?",
        "1042",
        "posso falar com uma pessoa?",
        "não, obrigada, é só isso",
        "tchau",
    ]);
    assert_eq!(
        log,
        "contact: oi / estou esperando uma encomenda / cadê meu pedido?\n\
         → order_status\n\
         agent: Olá! Claro, eu ajudo com isso. Você pode me dizer o número do pedido, por favor?\n\
         [modelo de ensaio, não é uma IA]\n\
         contact: 1042\n\
         orders_request {\"order_number\":\"1042\"}\n\
         agent: O seu pedido 1042 já foi enviado e deve chegar em 25 de novembro. \
         Transportadora: Correo Andino. Posso ajudar em mais alguma coisa?\n\
         contact: posso falar com uma pessoa?\n\
         → human\n\
         -- resumed --\n\
         agent: Olá de novo, eu continuo daqui. Posso ajudar com mais alguma coisa?\n\
         contact: não, obrigada, é só isso\n\
         → warm_goodbye\n\
         agent: Agradecemos o contato. Se surgir mais alguma coisa, é só mandar uma mensagem por aqui. Tenha um bom dia!\n\
         contact: tchau\n\
         → __end__"
    );
}

#[test]
fn number_in_first_text_is_looked_up_without_a_question() {
    let events = shop().contact_sends("hola, quiero saber de mi pedido #1043");
    assert_eq!(events[..2], ["→ order_status", "orders_request {\"order_number\":\"1043\"}"]);
    assert_eq!(
        events[2],
        "agent: Tu pedido 1043 está en preparación.\n\
         • Total: 24.90 EUR\n\
         • Artículos: 2 × Blue notebook, 1 × Pen\n\
         • Gift: no\n\
         ¿Te puedo ayudar en algo más?\n\
         [modelo de ensayo, no es una IA]"
    );
}

#[test]
fn missing_order_is_asked_for_again() {
    let mut chat = shop();
    chat.contact_sends("where is order 999?");
    assert!(
        chat.log
            .last()
            .unwrap()
            .starts_with("agent: I am sorry, I could not find order 999. Could you check the order number")
    );
    assert_eq!(chat.contact_sends("sorry, 1042")[0], "orders_request {\"order_number\":\"1042\"}");
}

#[test]
fn other_order_needs_a_number_and_same_order_is_told_again() {
    let mut chat = shop();
    chat.contact_sends("where is order 1042?");
    let again = chat.contact_sends("and when does it arrive?");
    assert!(again[0].starts_with("agent: Your order 1042 has been shipped"), "{again:?}");
    let other = chat.contact_sends("and my other order?");
    assert_eq!(other, ["agent: Happy to help with that. Could you tell me the order number, please?"]);
    assert_eq!(chat.contact_sends("1043")[0], "orders_request {\"order_number\":\"1043\"}");
}

#[test]
fn unreachable_system_offers_a_person() {
    let mut chat = shop();
    let events = chat.contact_sends("donde está mi pedido 500");
    assert!(events[2].starts_with(
        "agent: Lo siento, en este momento no puedo consultar el sistema. ¿Quieres que te pase con una persona?"
    ));
    assert_eq!(chat.contact_sends("sí, por favor"), ["→ human"]);
}

#[test]
fn missing_number_offers_a_person() {
    let mut chat = shop();
    chat.contact_sends("onde está meu pedido?");
    let events = chat.contact_sends("não tenho o número");
    assert!(
        events[0].contains("sem o número do pedido não consigo continuar. Quer que eu passe você para uma pessoa?"),
        "{events:?}"
    );
    assert_eq!(
        chat.contact_sends("não, obrigado"),
        [
            "→ warm_goodbye",
            "agent: Agradecemos o contato. Se surgir mais alguma coisa, é só mandar uma mensagem por aqui. Tenha um bom dia!"
        ]
    );
}

#[test]
fn greeting_of_an_agent_is_not_a_handoff() {
    for text in ["Hello agent", "hi agent!", "Hola agente", "olá agente"] {
        let said = shop().contact_sends(text);
        assert!(said.iter().all(|line| line != "→ human"), "{text}: {said:?}");
    }
    for text in ["agent", "agente por favor"] {
        assert_eq!(shop().contact_sends(text), ["→ human"], "{text}");
    }
}

#[test]
fn refused_person_is_not_a_handoff() {
    for text in [
        "I don't need a person, just my order status",
        "no quiero hablar con una persona, ¿dónde está mi pedido?",
        "não preciso de atendente, quero saber do meu pedido",
    ] {
        assert_eq!(shop().contact_sends(text)[0], "→ order_status", "{text}");
    }
    for text in [
        "no, I want a human",
        "I don't want a bot, I want a person",
        "¿no hay una persona que me atienda?",
        "atendente",
        "where is my order? let me speak to someone",
    ] {
        assert_eq!(shop().contact_sends(text), ["→ human"], "{text}");
    }
}

#[test]
fn new_wish_after_goodbye_is_served() {
    let mut chat = shop();
    chat.contact_sends("where is order 1042?");
    assert_eq!(chat.contact_sends("thank you!")[0], "→ warm_goodbye");
    let events = chat.contact_sends("oh wait, where is order 1043?");
    assert_eq!(events[..3], ["→ triage", "→ order_status", "orders_request {\"order_number\":\"1043\"}"]);
}

#[test]
fn unserved_wish_is_declined_in_the_contacts_language() {
    let mut chat = shop();
    let events = chat.contact_sends("¿cuál es su horario?");
    assert!(
        events[0]
            .starts_with("agent: Lo siento, por aquí no puedo ayudarte con eso. ¿Quieres que te pase con una persona?"),
        "{events:?}"
    );
    // A person may change the language at any time.
    assert!(chat.contact_sends("where is my order?")[1].contains("order number"));
}

#[test]
fn question_for_identity_gets_an_honest_answer() {
    let mut chat = shop();
    let events = chat.contact_sends("are you a human?");
    assert!(events[0].contains("neither a person nor an AI"), "{events:?}");
    assert!(chat.contact_sends("¿eres una persona?")[0].contains("ni una persona ni una IA"));
}

#[test]
fn example_agents_have_no_warnings() {
    for file in ["shop-agent.json", "clinic-agent.json"] {
        let checked = domain::agent::Graph::read(&agent(file)["graph"]).unwrap();
        assert!(checked.warnings.is_empty(), "{file}: {:?}", checked.warnings);
    }
}
