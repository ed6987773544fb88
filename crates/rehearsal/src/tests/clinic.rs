//! A second agent: another domain, Spanish names, two tools with typed arguments.

use serde_json::json;

use super::chat::{Chat, agent};

fn clinic() -> Chat {
    Chat::with(agent("clinic-agent.json"), |tool, arguments| match tool {
        "reservar_cita_request" => json!({"status_code": 201, "content": {
            "id": 77, "estado": "confirmada", "fecha": arguments["fecha"], "hora": "10:30"}}),
        "cancelar_cita_request" => json!({"status_code": 200, "content": {
            "numero_cita": arguments["numero_cita"], "estado": "cancelada"}}),
        other => panic!("unknown tool {other}"),
    })
}

#[test]
fn arguments_are_asked_for_one_by_one() {
    let mut chat = clinic();
    for text in ["hola", "quiero una cita", "pediatría", "el viernes", "Luisa Gómez", "gracias", "no, nada más"] {
        chat.contact_sends(text);
    }
    assert_eq!(
        chat.log.join("\n"),
        "contact: hola\n\
         agent: ¡Hola! ¿En qué te puedo ayudar?\n\
         [modelo de ensayo, no es una IA]\n\
         contact: quiero una cita\n\
         → agenda\n\
         agent: Con gusto te ayudo. ¿Me dices la especialidad, por favor? \
         Puedes elegir: pediatria, dermatologia o medicina general.\n\
         contact: pediatría\n\
         agent: Gracias. ¿Me dices la fecha, por favor?\n\
         contact: el viernes\n\
         agent: Gracias. ¿Me dices el nombre del paciente, por favor?\n\
         contact: Luisa Gómez\n\
         reservar_cita_request {\"especialidad\":\"pediatria\",\"fecha\":\"viernes\",\"nombre_paciente\":\"Luisa Gómez\"}\n\
         agent: Tu cita 77 está confirmada. Fecha: viernes, Hora: 10:30. ¿Te puedo ayudar en algo más?\n\
         contact: gracias\n\
         → despedida\n\
         agent: Gracias por escribirnos. Si surge algo más, solo envía un mensaje por aquí. ¡Que tengas un buen día!\n\
         contact: no, nada más\n\
         → __end__"
    );
}

#[test]
fn values_in_one_message_need_no_question() {
    let events = clinic().contact_sends(
        "hi, my name is Ana Lopez and I need an appointment with a dermatologist on 12 May\nmy mail is ana@example.org",
    );
    assert_eq!(events[0], "→ agenda");
    assert_eq!(
        events[1],
        "reservar_cita_request {\"especialidad\":\"dermatologia\",\"fecha\":\"12 May\",\
         \"nombre_paciente\":\"Ana Lopez\",\"correo\":\"ana@example.org\"}"
    );
    assert!(events[2].starts_with("agent: Your appointment 77 is confirmed. Date: 12 May, Time: 10:30."), "{events:?}");
}

#[test]
fn best_fitting_tool_is_called() {
    let events = clinic().contact_sends("oi, quero cancelar minha consulta número 77");
    assert_eq!(events[..2], ["→ agenda", "cancelar_cita_request {\"numero_cita\":77}"]);
    assert!(events[2].starts_with("agent: A sua consulta 77 foi cancelada. Posso ajudar"), "{events:?}");
}

#[test]
fn urgent_wish_moves_to_the_handoff() {
    assert_eq!(clinic().contact_sends("¡es una urgencia!"), ["→ recepcion"]);
    assert_eq!(clinic().contact_sends("it's an emergency"), ["→ recepcion"]);
    assert_eq!(clinic().contact_sends("quero falar com alguém"), ["→ recepcion"]);
}

#[test]
fn booking_for_one_person_is_not_a_handoff() {
    assert_eq!(clinic().contact_sends("quiero una cita para una persona")[0], "→ agenda");
}

#[test]
fn wish_beyond_the_tools_leaves_the_step() {
    let mut chat = clinic();
    chat.contact_sends("quiero cancelar mi cita 77");
    let events = chat.contact_sends("¿y cuánto cuesta la consulta?");
    assert_eq!(events[0], "→ bienvenida");
    assert!(events[1].contains("no puedo ayudarte con eso"), "{events:?}");
}
