//! The table of concepts: words that stand for the same matter in English, Spanish and Portuguese.
//!
//! Entries are folded and divided by `|`; a `*` stands for any ending. The table holds matters of
//! shops, clinics and services in general. A word that belongs to one agent does not belong here.

/// The manners of a conversation, or a topic of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concept {
    /// "The person asks …": the subject of a condition, not its topic.
    Subject,
    Staff,
    /// A wish for a person next to [`Concept::Talk`]; in "a table for one person" it is not.
    Person,
    Talk,
    Bye,
    Done,
    Thanks,
    Greeting,
    Yes,
    No,
    Unknowing,
    Other,
    Another,
    /// "Are you a person?"
    Identity,
    Help,
    /// A row of [`TOPICS`].
    Topic {
        row: usize,
        weight: i32,
    },
}

impl Concept {
    /// All concepts with their words. A concept may come more than once.
    pub(crate) fn all() -> impl Iterator<Item = (Self, &'static str)> {
        let topics = TOPICS.lines().enumerate().filter_map(|(row, line)| {
            let (kind, words) = line.split_once(' ')?;
            Some((Self::Topic { row, weight: if kind == "deed" { DEED } else { THING } }, words))
        });
        MANNERS.iter().copied().chain(topics)
    }

    /// The weight in a comparison of two texts; manners have none.
    pub(crate) const fn weight(self) -> i32 {
        match self {
            Self::Topic { weight, .. } => weight,
            Self::Help => 1,
            _ => 0,
        }
    }
}

const THING: i32 = 4;
/// A deed says more about a wish than the thing it is done with.
pub(crate) const DEED: i32 = 6;

const MANNERS: &[(Concept, &str)] = &[
    (Concept::Subject, "the person|the user|the customer|the client|the contact|the patient|the agent"),
    (Concept::Subject, "la persona|el cliente|el usuario|el contacto|el paciente|el agente"),
    (Concept::Subject, "a pessoa|o cliente|o usuario|o contato|o paciente|o agente"),
    (Concept::Staff, "human*|representative|operator|supervisor*|manager|receptionist|customer service|staff"),
    (Concept::Staff, "humano|humana|representante|operador*|asesor*|gerente|recepcionista|servicio al cliente|colega"),
    (Concept::Staff, "atendente*|atendimento|colleague|atencion al cliente"),
    (Concept::Person, "person|persona|pessoa|someone|somebody|alguien|alguem|agent|agente"),
    (Concept::Talk, "talk|speak|chat with|contact|transfer*|connect|call me"),
    (Concept::Talk, "hablar|hable|charlar|comuni*|atienda|atiende|atender|pasame|pasarme|pasar|llamar|llame"),
    (Concept::Talk, "falar|fale|conversar|atenda|passa|passar|passe|ligar|ligue"),
    (Concept::Bye, "bye|goodbye|farewell|see you"),
    (Concept::Bye, "adios|chau|chao|hasta luego|hasta pronto|nos vemos|despide*|despedi*|tchau|ate logo|ate mais"),
    (Concept::Done, "thats all|that is all|thats it|nothing else|nothing more|no more|no thanks|no thank you|im done"),
    (Concept::Done, "all set|was all|solved|satisfied|wants nothing|close the conversation|end the conversation"),
    (Concept::Done, "es todo|seria todo|nada mas|nada por ahora|no gracias|resuelto|terminar|so isso|nada mais"),
    (Concept::Done, "mais nada|nao obrigado|nao obrigada|isso e tudo|por hoje e so|resolvido|encerrar"),
    (Concept::Thanks, "thanks|thank you|thx|appreciate it|gracias|agradezco|obrigado|obrigada|valeu|agradeco"),
    (Concept::Greeting, "hi|hello|hey|good morning|good afternoon|good evening|hola|buenas|buenos dias|buen dia"),
    (Concept::Greeting, "que tal|buenas tardes|buenas noches|oi|ola|opa|bom dia|boa tarde|boa noite|tudo bem|tudo bom"),
    (Concept::Yes, "yes|yeah|yep|sure|of course|ok|okay|great|perfect|good|nice|alright|got it"),
    (Concept::Yes, "si|claro|por supuesto|dale|vale|listo|perfecto|genial|bueno|entendido"),
    (Concept::Yes, "sim|pode ser|perfeito|otimo|beleza|certo|ta bom"),
    (Concept::No, "no|nope|nao|not really"),
    (Concept::Unknowing, "dont know|dont have|do not have|do not know|lost it|cant find it|no lo tengo|no la tengo"),
    (Concept::Unknowing, "no tengo|no lo se|no se|no recuerdo|no lo encuentro|nao tenho|nao sei|nao lembro"),
    (Concept::Other, "something else|anything else|something different|another question|other question*"),
    (Concept::Other, "another matter|other topic*|new wish|new question|new request|other matters"),
    (Concept::Other, "otra cosa|otro tema|otros temas|otro asunto|otra pregunta|algo mas|algo distinto|nueva pregunta"),
    (Concept::Other, "outra coisa|outras coisas|outro assunto|outros assuntos|outra pergunta|outra duvida|algo mais"),
    (Concept::Other, "mais alguma coisa|nova pergunta"),
    (Concept::Another, "another|other|second|otro|otra|outro|outra"),
    (Concept::Identity, "are you human|are you a human|are you a person|are you real|are you a robot|are you a bot"),
    (Concept::Identity, "are you an ai|eres humano|eres humana|eres una persona|eres un robot|eres un bot|eres una ia"),
    (Concept::Identity, "voce e humano|voce e humana|voce e uma pessoa|voce e um robo|voce e um bot|voce e uma ia"),
    (Concept::Help, "help|what can you do|information|ayuda|que puedes hacer|informacion|ajuda|informacoes"),
];

/// Matters to help with, one in a row.
const TOPICS: &str = "\
thing order|orders|ordered|purchase*|pedido*|orden|ordenes|compra|compras|encomenda*|comprei
thing parcel*|package*|deliver*|shipment*|shipping|shipped|courier|arriv*|envio*|enviado|entrega*|entregue|paquete*|\
    llega|llegar|llego|llegado|pacote*|chega|chegar|chegou|encomenda*
thing appointment*|book|booking*|reserv*|schedule*|visit|cita|citas|turno*|consulta|consultas|agenda*|marcar
thing status|track*|where is|wheres|estado|donde esta|rastre*|seguimiento|situacao|onde esta|cade|andamento
thing sell*|vende*|product*|item|items|catalog*|articulo*|produto*|artigo*|stock|estoque
deed cancel*|call off|anular|desmarc*
deed change*|reschedul*|modify|cambi*|reagendar|reprogram*|modificar|mudar|remarcar|trocar|alterar
deed price*|cost|costs|how much|fee|fees|precio*|cuanto cuesta|cuanto vale|cuesta*|costo|tarifa*|preco*|quanto custa|custa
deed refund*|return*|money back|devol*|reembols*|estorno
deed complain*|broken|damaged|defective|wrong item|angry|queja*|reclam*|roto|rota|danad*|quebrad*|defeito
deed hours|opening|opens|open|closing time|horario*|abren|abre|abierto|cierran|aberto|fecham|que horas|a que hora
deed address|location|where are you|directions|direccion|ubicacion|donde estan|endereco|localizacao|onde fica
deed pay|paid|payment*|invoice*|bill|billing|pagar|pago|pagos|factura*|tarjeta|pagamento*|fatura*|boleto|cartao
deed buy|buying|quote|comprar|cotizacion|presupuesto|orcamento
deed emergenc*|urgent*|urgenc*
deed menu|dish|dishes|plato*|cardapio|prato*";

/// Words that say nothing about the matter.
pub(crate) const STOP_WORDS: &str = "the and for with from that this these those there here have has had was were are \
    been being can could would should will may might must want wants need needs ask asks say says tell tells told know \
    knows like please you your our their them they she her him his its not dont doesnt cant when where which who why how \
    any some more most about into over after before then than also just only very person user customer client contact \
    agent step next move look find finds found give gives get gets let make makes does did done see out off all \
    everything else because but one two ill waiting wait still yet now http https www com post put delete api json url \
    question questions pregunta preguntas pergunta perguntas duda duvida que los las una unos unas del por para con sin \
    sobre como cuando donde quien cual porque pero mas muy este esta estos estas ese esa eso hay ser soy eres son era \
    fue estar estoy estan tener tengo tiene tienen hacer hace hago quiere quiero quieren quisiera necesita necesito pide \
    piden dice dicen saber persona cliente usuario contacto agente paso siguiente favor much many mucho muchos mucha \
    muchas algo todo toda todos todas cosa tambien solo aun todavia espero esperando mis sus les nos nao uma umas dos das \
    pelo pela com sem quem qual quais muito muitos muita muitas essa esse isso isto aquele ela ele eles voce voces meu \
    minha meus minhas seu sua seus suas ter tenho tem sou estou estao quer quero querem gostaria precisa preciso pede \
    pedem diz dizem pessoa contato passo proximo coisa ainda agora foi sao posso pode podem puedo puede pueden lhe onde \
    quando aqui ali bem bien";
