//! The table behind the lexicon: which words speak of which concept, in English, Spanish and Portuguese.
//!
//! Entries are folded (no accents, lower case, no apostrophes), divided by `|`; a `*` stands for any ending. General
//! matters of shops, clinics and services only: a word that belongs to one agent does not belong here.

/// Something a text can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Concept {
    // Manners and moves of a conversation.
    Human,
    /// A person, perhaps: "somebody to talk to" or "a table for one person".
    Somebody,
    Talk,
    Bye,
    Done,
    Thanks,
    Greeting,
    Yes,
    No,
    Unknowing,
    Fine,
    Other,
    Another,
    /// Who is answering here?
    Identity,
    // Things.
    Order,
    Delivery,
    Appointment,
    Status,
    Product,
    Account,
    Results,
    Help,
    // What to do with them, or matters that say it all.
    Availability,
    Cancel,
    Change,
    Price,
    Refund,
    Complaint,
    Hours,
    Location,
    Payment,
    Buy,
    Urgent,
    Job,
    Menu,
}

impl Concept {
    const TOPICS: [Self; 21] = [
        Self::Order,
        Self::Delivery,
        Self::Appointment,
        Self::Status,
        Self::Product,
        Self::Account,
        Self::Results,
        Self::Help,
        Self::Availability,
        Self::Cancel,
        Self::Change,
        Self::Price,
        Self::Refund,
        Self::Complaint,
        Self::Hours,
        Self::Location,
        Self::Payment,
        Self::Buy,
        Self::Urgent,
        Self::Job,
        Self::Menu,
    ];

    /// The weight of a thing; what is done with it weighs more.
    pub(super) const THING: i32 = 4;

    pub(super) fn bit(self) -> u64 {
        1 << (self as u8)
    }

    pub(super) fn all_topics() -> impl Iterator<Item = Self> {
        Self::TOPICS.into_iter()
    }

    /// Everything one could help with. Asking for help in general is no matter of its own.
    pub(super) fn topics() -> u64 {
        Self::all_topics().filter(|concept| *concept != Self::Help).fold(0, |bits, concept| bits | concept.bit())
    }

    pub(super) fn weight(self) -> i32 {
        match self {
            Self::Help => 1,
            Self::Status => 2,
            Self::Order | Self::Delivery | Self::Appointment | Self::Product | Self::Account | Self::Results => {
                Self::THING
            }
            _ => 6,
        }
    }
}

/// Concepts and their words.
pub(super) const TABLE: &[(Concept, &str)] = &[
    (
        Concept::Human,
        "human|humans|humano|humana|humanos|representative|representante|operator|operador|operadora|atendente|\
         atendentes|asesor|asesora|ejecutivo|ejecutiva|supervisor|supervisora|manager|gerente|encargado|encargada|\
         receptionist|recepcionista|customer service|servicio al cliente|atencion al cliente|atendimento ao cliente|\
         atendimento humano|real person|someone real|staff|live agent|live chat|colleague|colega|team member",
    ),
    (Concept::Somebody, "person|persona|pessoa|someone|somebody|alguien|alguem|agent|agente"),
    (
        Concept::Talk,
        "talk|speak|chat with|contact|hablar|hable|platicar|charlar|conversar|falar|fale|contactar|comunicar*|\
         comunique*|atienda|atiende|atender|atenda|transfer*|transfier*|connect|put me through|pasame|pasarme|pasar|\
         passa|passar|passe|call me|llamar|llame|ligar|ligue|me liga|real",
    ),
    (
        Concept::Bye,
        "bye|goodbye|good bye|bye bye|farewell|see you|see ya|adios|chau|chao|hasta luego|hasta pronto|hasta manana|\
         nos vemos|despide*|despedi*|tchau|ate logo|ate mais|ate breve|ate amanha",
    ),
    (
        Concept::Done,
        "thats all|that is all|thats it|that is it|nothing else|nothing more|nothing further|no more|no thanks|\
         no thank you|no thx|nah thanks|all good|im good|im done|im fine|all set|all done|was all|be all|\
         solved|satisfied|finished|eso es todo|es todo|eso seria todo|seria todo|nada mas|nada por ahora|no gracias|\
         ya esta|todo bien gracias|satisfech*|resuelto|terminar|so isso|e so isso|era so isso|so isso mesmo|mais nada|\
         nada mais|nao obrigado|nao obrigada|nao valeu|isso e tudo|e tudo|por enquanto e so|por hoje e so|resolvido|\
         encerrar|wants nothing|close the conversation|end the conversation",
    ),
    (
        Concept::Thanks,
        "thanks|thank you|thx|thank u|ty|cheers|appreciate it|gracias|agradezco|agradecer|obrigado|obrigada|obg|valeu|\
         agradeco",
    ),
    (
        Concept::Greeting,
        "hi|hello|hey|hiya|good morning|good afternoon|good evening|greetings|hola|holi|buenas|buenos dias|buen dia|\
         buenas tardes|buenas noches|saludos|que tal|oi|oie|ola|opa|bom dia|boa tarde|boa noite|e ai|tudo bem|tudo bom",
    ),
    (
        Concept::Yes,
        "yes|yeah|yep|yup|sure|of course|yes please|si|claro|por supuesto|dale|sim|claro que sim|com certeza|isso|\
         pode ser|please do",
    ),
    (Concept::No, "no|nope|nah|nao|negative|not really|para nada|de jeito nenhum"),
    (
        Concept::Unknowing,
        "dont know|dont have|do not have|do not know|havent got|lost it|cant find it|forgot it|no lo tengo|no la tengo|\
         no tengo|no lo se|no se|no me acuerdo|no recuerdo|lo perdi|no lo encuentro|nao tenho|nao sei|nao lembro|perdi|\
         nao encontro|nao achei",
    ),
    (
        Concept::Fine,
        "ok|okay|okey|k|great|perfect|good|nice|cool|alright|got it|i see|understood|perfecto|genial|bueno|vale|listo|\
         entendido|entiendo|de acuerdo|excelente|perfeito|otimo|beleza|blz|entendi|certo|ta bom|legal|super|wow",
    ),
    (
        Concept::Other,
        "something else|anything else|something different|another question|other question|other questions|\
         another matter|another topic|other topic|different topic|anything other|new wish|new question|new request|\
         other matters|otra cosa|otro tema|otros temas|otro asunto|otra pregunta|otra consulta|algo mas|algo diferente|\
         algo distinto|nueva pregunta|outra coisa|outras coisas|outro assunto|outros assuntos|outra pergunta|\
         outra duvida|algo mais|mais alguma coisa|nova pergunta",
    ),
    (
        Concept::Another,
        "another|other|second|different one|otro|otra|otros|otras|outro|outra|outros|outras|new|nuevo|nueva|novo|nova",
    ),
    (
        Concept::Identity,
        "are you human|are you a human|are you a person|are you a real|are you real|are you a robot|are you a bot|\
         are you an ai|are you ai|am i talking to a|eres humano|eres humana|eres un humano|eres una persona|\
         eres un robot|\
         eres un bot|eres una ia|eres real|estoy hablando con un|estoy hablando con una|voce e humano|voce e humana|\
         voce e um robo|voce e um bot|voce e uma pessoa|voce e uma ia|voce e real|estou falando com um|estou falando com uma",
    ),
    (
        Concept::Order,
        "order|orders|ordered|purchase|purchases|pedido|pedidos|orden|ordenes|compra|compras|encomenda|encomendas|\
         pedi algo|comprei|compre",
    ),
    (
        Concept::Delivery,
        "parcel|parcels|package|packages|packet|delivery|deliveries|delivered|deliver|shipment|shipments|shipping|\
         shipped|courier|arrive|arrives|arrived|arriving|envio|envios|enviado|entrega|entregas|entregado|entregue|\
         paquete|paquetes|llega|llegar|llego|llegado|llegara|pacote|pacotes|chega|chegar|chegou|chegado|encomenda|\
         encomendas|mensajeria|transportadora",
    ),
    (
        Concept::Appointment,
        "appointment*|booking|bookings|book|reservation*|reserve|schedule|scheduled|visit|cita|citas|turno|turnos|\
         consulta|consultas|agendar|agenda|agendado|agendamento|agendamentos|reservar|reserva|reservas|marcar|marcacao",
    ),
    (
        Concept::Status,
        "status|track|tracking|tracked|where is|wheres|estado|donde esta|donde anda|rastrear|rastreo|seguimiento|\
         situacao|onde esta|cade|rastreamento|rastreio|andamento",
    ),
    (
        Concept::Product,
        "sell|sells|vende|venden|vendes|vendem|vender|product|products|item|items|catalog|catalogue|producto|\
         productos|articulo|articulos|catalogo|produto|produtos|\
         artigo|artigos|stock|estoque",
    ),
    (
        Concept::Account,
        "account|password|login|sign in|cuenta|contrasena|clave|iniciar sesion|conta|senha|entrar na conta",
    ),
    (
        Concept::Results,
        "result|results|test results|lab|exam|exams|resultado|resultados|analisis|examen|examenes|exame|exames|laudo",
    ),
    (
        Concept::Help,
        "help|what can you do|que puedes hacer|o que voce pode fazer|que voce faz|question|questions|information|\
         info|ayuda|pregunta|preguntas|informacion|duda|dudas|ajuda|pergunta|\
         perguntas|informacao|informacoes|duvida|duvidas",
    ),
    (
        Concept::Availability,
        "available|availability|free slot|free slots|slots|openings|disponible|disponibles|disponibilidad|hueco|huecos|\
         libre|libres|disponivel|disponiveis|disponibilidade|vaga|vagas|livre|livres",
    ),
    (Concept::Cancel, "cancel*|call off|anular|anulacion|anula|desmarc*"),
    (
        Concept::Change,
        "change|changes|reschedul*|modify|move my|cambiar|cambio|cambia|reagendar|reprogram*|modificar|mudar|mudanca|\
         remarcar|trocar|alterar|alteracao",
    ),
    (
        Concept::Price,
        "price|prices|cost|costs|how much|rate|rates|fee|fees|precio|precios|cuanto cuesta|cuanto vale|cuanto es|\
         cuestan|cuesta|costo|coste|tarifa|tarifas|preco|precos|quanto custa|quanto e|quanto fica|custa|custo|valores",
    ),
    (
        Concept::Refund,
        "refund*|return|returns|returning|send back|money back|devolucion*|devolver|reembols*|devolucao|devolucoes|\
         estorno|meu dinheiro de volta",
    ),
    (
        Concept::Complaint,
        "complain*|broken|damaged|defective|wrong item|angry|unhappy|upset|terrible|queja*|quejarse|reclamo|reclamos|\
         reclamacion*|roto|rota|danado|danada|defectuos*|enojad*|molest*|reclamacao|reclamacoes|reclama|reclamar|\
         quebrad*|\
         danificad*|defeito|insatisfeit*|irritad*",
    ),
    (
        Concept::Hours,
        "hours|opening|opens|open|closing time|horario|horarios|abren|abre|abierto|abiertos|cierran|cierra|aberto|\
         abertos|fecham|que horas|a que hora",
    ),
    (
        Concept::Location,
        "address|location|located|where are you|directions|direccion|ubicacion|ubicados|donde estan|endereco|\
         localizacao|onde fica|onde ficam|como llego|como chego",
    ),
    (
        Concept::Payment,
        "pay|paid|payment|payments|invoice|invoices|bill|billing|charged|credit card|pagar|pago|pagos|pague|factura|\
         facturas|facturacion|cobro|cobraron|tarjeta|pagamento|pagamentos|paguei|fatura|faturas|boleto|nota fiscal|pix|\
         cobranca|cobraram|cartao",
    ),
    (Concept::Buy, "buy|buying|purchase|quote|comprar|cotizacion|cotizar|presupuesto|adquirir|orcamento"),
    (Concept::Urgent, "emergency|urgent|urgently|urgencia|urgente|emergencia|urgencias"),
    (Concept::Job, "job|jobs|career|careers|vacancy|empleo|trabajar con|curriculum|emprego|trabalhar com|curriculo"),
    (Concept::Menu, "menu|dish|dishes|carta|plato|platos|cardapio|prato|pratos"),
];

/// Words that say nothing about the matter.
pub(super) const STOP_WORDS: &str = "the and for with from that this these those there here have has had was were \
are is \
    been being can could would should will shall may might must want wants wanted wanting need needs needed ask asks \
    asked asking say says said tell tells told know knows like likes please you your yours our ours their them they \
    she \
    him her his its not dont doesnt didnt isnt cant wont what when where which who whom why how any some more most \
    about into onto over after before then than also just only very person user customer client contact agent step \
    next \
    move look looks looked looking find finds found give gives given get gets got let make makes does did done see \
    out off all \
    everything else whether because but one two its ive ill theyre waiting wait still yet now http https www com \
    get post put \
    delete api json request url que los las una unos unas del por para con sin sobre como cuando donde \
    quien cual cuales porque pero mas muy este esta estos estas ese esa eso esos esas aquel hay ser soy eres son \
    era fue \
    estar estoy estas estan tener tengo tiene tienen hacer hace hago quiere quiero quieren querer quisiera necesita \
    necesito necesitan pide piden pregunta dice dicen decir saber persona cliente usuario contacto agente paso \
    siguiente \
    favor much many lot really muchas mucho muchos mil muita muitas muitos so too algo todo toda todos todas cosa \
    tambien solo aun todavia espero esperando mis sus les nos \
    nao uma uns umas dos das pelo pela pelos pelas com sem sobre quem qual quais mas muito essa esse isso isto \
    aquele ela \
    ele elas eles voce voces meu minha meus minhas seu sua seus suas ter tenho tem ser sou estou esta estao quer quero \
    querem gostaria precisa preciso precisam pede pedem diz dizem dizer pessoa contato passo seguinte proximo coisa \
    tambem ainda agora ja so foi sao posso pode podem puedo puede pueden lhe lhes onde quando aqui ali ahi alla bem bien";
