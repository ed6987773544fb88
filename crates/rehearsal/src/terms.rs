//! Names of arguments and of fields in data, put into words a person uses.
//!
//! `order_number`, `numeroPedido` and `numero_do_pedido` are all "número de pedido" in Spanish. A key is taken apart into
//! a head (number, date, name …) and a thing (order, appointment …); a key with a word outside the table stays as it is,
//! with spaces.

use super::language::Language;
use super::lexicon::words;

/// A word for a thing or a property in the three languages. `es` and `pt` carry their article: it tells the gender.
struct Term {
    keys: &'static str,
    en: &'static str,
    es: &'static str,
    pt: &'static str,
    /// How the word qualifies another in Spanish and Portuguese: "de la cita", "da consulta". Empty for heads.
    of: [&'static str; 2],
    /// Whether it is the person's own: "your name".
    own: bool,
}

/// A noun ready to be used in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Noun {
    /// Without article: "order number".
    pub(super) bare: String,
    /// With article: "the order number", "your name".
    pub(super) definite: String,
    /// With the possessive: "your order number".
    pub(super) yours: String,
    /// For agreement in Spanish and Portuguese.
    pub(super) feminine: bool,
}

const fn head(keys: &'static str, en: &'static str, es: &'static str, pt: &'static str) -> Term {
    Term { keys, en, es, pt, of: ["", ""], own: false }
}

const fn own(keys: &'static str, en: &'static str, es: &'static str, pt: &'static str) -> Term {
    Term { keys, en, es, pt, of: ["", ""], own: true }
}

const fn thing(
    keys: &'static str,
    en: &'static str,
    es: &'static str,
    pt: &'static str,
    of_es: &'static str,
    of_pt: &'static str,
) -> Term {
    Term { keys, en, es, pt, of: [of_es, of_pt], own: false }
}

/// Properties, and things that are mostly asked for by themselves.
const HEADS: &[Term] = &[
    head("number|numero|num|nro|no", "number", "el número", "o número"),
    head("id|identifier|identificador", "number", "el número", "o número"),
    head("code|codigo", "code", "el código", "o código"),
    own("name|nombre|nome|full name|nombre completo|nome completo", "name", "el nombre", "o nome"),
    own("email|e mail|mail|correo|correo electronico|email address", "e-mail address", "el correo", "o e-mail"),
    own(
        "phone|phone number|telephone|mobile|telefono|celular|telefone|numero telefono",
        "phone number",
        "el teléfono",
        "o telefone",
    ),
    own("address|direccion|endereco", "address", "la dirección", "o endereço"),
    own(
        "birthday|birth date|date birth|fecha nacimiento|data nascimento",
        "date of birth",
        "la fecha de nacimiento",
        "a data de nascimento",
    ),
    own(
        "document|dni|cpf|documento|passport|cedula",
        "document number",
        "el número de documento",
        "o número do documento",
    ),
    head("date|fecha|data|day|dia", "date", "la fecha", "a data"),
    head("time|hora|hour|horario", "time", "la hora", "a hora"),
    head("status|state|estado|situacao|situacion", "status", "el estado", "a situação"),
    head("price|precio|preco", "price", "el precio", "o preço"),
    head(
        "total|total price|total amount|precio total|valor total|preco total|monto total",
        "total",
        "el total",
        "o total",
    ),
    head("amount|monto|importe|valor", "amount", "el importe", "o valor"),
    head("currency|moneda|moeda", "currency", "la moneda", "a moeda"),
    head(
        "carrier|courier|transportista|transportadora|mensajeria",
        "carrier",
        "la empresa de transporte",
        "a transportadora",
    ),
    head(
        "eta|estimated delivery|estimated arrival|expected delivery|delivery estimate|entrega estimada|entrega prevista|previsao entrega|previsao|fecha entrega estimada",
        "expected delivery",
        "la entrega prevista",
        "a entrega prevista",
    ),
    head("quantity|qty|cantidad|quantidade|count", "quantity", "la cantidad", "a quantidade"),
    head(
        "people|guests|personas|pessoas|party size|number people|numero personas|numero pessoas",
        "number of people",
        "el número de personas",
        "o número de pessoas",
    ),
    head("reason|motivo|razon|razao", "reason", "el motivo", "o motivo"),
    head(
        "note|notes|nota|notas|comment|comments|comentario|comentarios|observacao|observaciones",
        "note",
        "la nota",
        "a observação",
    ),
    head("description|descripcion|descricao|details|detalles|detalhes", "description", "la descripción", "a descrição"),
    head("type|tipo|kind", "type", "el tipo", "o tipo"),
    head("city|ciudad|cidade", "city", "la ciudad", "a cidade"),
    head("country|pais", "country", "el país", "o país"),
    head("zip|zip code|postal code|postcode|codigo postal|cep", "postal code", "el código postal", "o CEP"),
    head("specialty|speciality|especialidad|especialidade", "specialty", "la especialidad", "a especialidade"),
    head("size|talla|tamano|tamanho", "size", "la talla", "o tamanho"),
    head("color|colour|cor", "colour", "el color", "a cor"),
    head("items|articulos|itens|lines|line items", "items", "los artículos", "os itens"),
    head(
        "slots|available slots|available times|horarios|horarios disponibles|horarios disponiveis|turnos",
        "available times",
        "los horarios disponibles",
        "os horários disponíveis",
    ),
    head("message|mensaje|mensagem", "message", "el mensaje", "a mensagem"),
    head("question|pregunta|pergunta|query", "question", "la pregunta", "a pergunta"),
    head("age|edad|idade", "age", "la edad", "a idade"),
    head("duration|duracion|duracao", "duration", "la duración", "a duração"),
    head("balance|saldo", "balance", "el saldo", "o saldo"),
    head("link|url|enlace|tracking url", "link", "el enlace", "o link"),
];

/// Things that have properties.
const THINGS: &[Term] = &[
    thing("order|pedido|orden|purchase|compra|encomenda", "order", "el pedido", "o pedido", "de pedido", "do pedido"),
    thing("appointment|cita|consulta|turno", "appointment", "la cita", "a consulta", "de la cita", "da consulta"),
    thing("booking|reservation|reserva", "booking", "la reserva", "a reserva", "de la reserva", "da reserva"),
    thing("delivery|entrega", "delivery", "la entrega", "a entrega", "de entrega", "da entrega"),
    thing(
        "shipment|shipping|parcel|package|envio|paquete|pacote",
        "parcel",
        "el envío",
        "o envio",
        "del envío",
        "do envio",
    ),
    thing(
        "tracking|seguimiento|rastreo|rastreamento|rastreio",
        "tracking",
        "el seguimiento",
        "o rastreamento",
        "de seguimiento",
        "de rastreamento",
    ),
    thing("invoice|bill|factura|fatura", "invoice", "la factura", "a fatura", "de la factura", "da fatura"),
    thing("payment|pago|pagamento", "payment", "el pago", "o pagamento", "del pago", "do pagamento"),
    thing(
        "refund|reembolso|devolucion|devolucao",
        "refund",
        "el reembolso",
        "o reembolso",
        "del reembolso",
        "do reembolso",
    ),
    thing("customer|client|cliente", "customer", "el cliente", "o cliente", "de cliente", "de cliente"),
    thing("patient|paciente", "patient", "el paciente", "o paciente", "del paciente", "do paciente"),
    thing("doctor|medico", "doctor", "el médico", "o médico", "del médico", "do médico"),
    thing("doctora|medica|doutora", "doctor", "la doctora", "a médica", "de la doctora", "da médica"),
    thing(
        "product|producto|produto|item|articulo",
        "product",
        "el producto",
        "o produto",
        "del producto",
        "do produto",
    ),
    thing("account|cuenta|conta", "account", "la cuenta", "a conta", "de cuenta", "da conta"),
    thing("ticket|case|caso|chamado", "case", "el caso", "o chamado", "del caso", "do chamado"),
    thing("table|mesa", "table", "la mesa", "a mesa", "de la mesa", "da mesa"),
    thing("room|habitacion|quarto", "room", "la habitación", "o quarto", "de la habitación", "do quarto"),
];

/// The noun for an argument or a field; None if a word of it is unknown.
pub(super) fn noun(key: &str, language: Language) -> Option<Noun> {
    let parts = parts(key);
    let whole = parts.join(" ");
    if let Some(term) = find(HEADS, &whole).or_else(|| find(THINGS, &whole)) {
        return Some(single(term, language));
    }
    let [first, second] = parts.as_slice() else { return None };
    let (head, thing) = match (find(HEADS, first), find(THINGS, second)) {
        (Some(head), Some(thing)) => (head, thing),
        _ => (find(HEADS, second)?, find(THINGS, first)?),
    };
    Some(composed(head, thing, language))
}

/// The thing an id belongs to: `order_number` → order. A key of a thing alone counts too.
pub(super) fn thing_of(key: &str, language: Language) -> Option<Noun> {
    let parts = parts(key);
    let numbered = |part: &str| matches!(part, "number" | "numero" | "num" | "nro" | "id" | "code" | "codigo");
    match parts.as_slice() {
        [thing] => find(THINGS, thing),
        [head, thing] if numbered(head) => find(THINGS, thing),
        [thing, head] if numbered(head) => find(THINGS, thing),
        _ => None,
    }
    .map(|term| single(term, language))
}

/// The first thing that a tool's name speaks of.
pub(super) fn thing_in(name: &str, language: Language) -> Option<Noun> {
    words(name).list.iter().find_map(|word| {
        let term = find(THINGS, word).or_else(|| find(THINGS, word.strip_suffix('s')?));
        term.map(|term| single(term, language))
    })
}

/// A key that no term covers, readable.
pub(super) fn readable(key: &str) -> String {
    words(key).list.join(" ")
}

/// The words of a key without "of", "the" and the like.
pub(super) fn parts(key: &str) -> Vec<String> {
    const FILLERS: &[&str] = &["de", "da", "do", "del", "la", "el", "the", "of", "o", "a", "en", "em"];
    words(key).list.into_iter().filter(|word| !FILLERS.contains(&word.as_str())).collect()
}

fn find<'t>(terms: &'t [Term], key: &str) -> Option<&'t Term> {
    terms.iter().find(|term| term.keys.split('|').any(|known| known == key))
}

fn single(term: &Term, language: Language) -> Noun {
    let with_article = language.pick(term.en, term.es, term.pt);
    build(with_article, "", term.own, language)
}

fn composed(head: &Term, thing: &Term, language: Language) -> Noun {
    match language {
        // "The patient's name", but "the order number".
        Language::English if matches!(thing.en, "patient" | "customer" | "doctor") => {
            build(&format!("{}'s {}", thing.en, head.en), "", false, language)
        }
        Language::English => build(&format!("{} {}", thing.en, head.en), "", false, language),
        Language::Spanish => build(head.es, thing.of[0], false, language),
        Language::Portuguese => build(head.pt, thing.of[1], false, language),
    }
}

/// `word` has its article in Spanish and Portuguese and none in English.
fn build(word: &str, of: &str, own: bool, language: Language) -> Noun {
    let (article, name) = match language {
        Language::English => ("the", word),
        _ => word.split_once(' ').unwrap_or(("", word)),
    };
    let bare = if of.is_empty() { name.to_owned() } else { format!("{name} {of}") };
    let feminine = matches!(article, "la" | "las" | "a" | "as");
    let many = article.ends_with('s');
    let possessive = match language {
        Language::English => "your",
        Language::Spanish if many => "tus",
        Language::Spanish => "tu",
        Language::Portuguese if feminine => "a sua",
        Language::Portuguese => "o seu",
    };
    let yours = format!("{possessive} {bare}");
    let definite = if own { yours.clone() } else { format!("{article} {bare}") };
    Noun { bare, definite, yours, feminine }
}

/// What a status means, as the end of a sentence about a thing; `@` is the ending that agrees with it.
pub(super) fn status(value: &str, language: Language, feminine: bool) -> Option<String> {
    let value = parts(value).join(" ");
    let (_, english, spanish, portuguese) =
        STATUSES.iter().find(|(keys, ..)| keys.split('|').any(|known| known == value))?;
    let ending = if feminine { "a" } else { "o" };
    Some(language.pick(english, spanish, portuguese).replace('@', ending))
}

const STATUSES: &[(&str, &str, &str, &str)] = &[
    (
        "shipped|sent|dispatched|enviado|enviada|despachado|despachada",
        "has been shipped",
        "ya fue enviad@",
        "já foi enviad@",
    ),
    ("in transit|on way|transit|camino|transito|caminho", "is on its way", "está en camino", "está a caminho"),
    (
        "out for delivery|reparto|rota entrega|saiu para entrega",
        "is out for delivery",
        "está en reparto",
        "saiu para entrega",
    ),
    ("delivered|entregado|entregada|entregue", "has been delivered", "ya fue entregad@", "já foi entregue"),
    (
        "processing|preparing|in preparation|preparacion|preparacao|procesando|processando|being prepared|in progress|proceso|andamento|packing|packed",
        "is being prepared",
        "está en preparación",
        "está em preparação",
    ),
    ("pending|waiting|pendiente|pendente|open|abierto|aberto|on hold", "is pending", "está pendiente", "está pendente"),
    (
        "confirmed|confirmado|confirmada|booked|scheduled|agendado|agendada|reservado|reservada",
        "is confirmed",
        "está confirmad@",
        "está confirmad@",
    ),
    ("cancelled|canceled|cancelado|cancelada|anulado|anulada", "has been cancelled", "fue cancelad@", "foi cancelad@"),
    ("paid|pagado|pagada|pago|paga", "has been paid", "está pagad@", "está pag@"),
    ("refunded|reembolsado|reembolsada", "has been refunded", "fue reembolsad@", "foi reembolsad@"),
    ("returned|devuelto|devuelta|devolvido|devolvida", "has been returned", "fue devuelt@", "foi devolvid@"),
    ("ready|ready for pickup|ready to collect|listo|lista|pronto|pronta", "is ready", "está list@", "está pront@"),
    ("delayed|late|retrasado|retrasada|demorado|atrasado|atrasada", "is delayed", "está retrasad@", "está atrasad@"),
    (
        "received|recibido|recibida|recebido|recebida|created|creado|creada|criado|criada|new|nuevo|nueva|novo|nova",
        "has been received",
        "fue recibid@",
        "foi recebid@",
    ),
    (
        "completed|complete|done|finished|completado|completada|concluido|concluida|closed|cerrado|fechado",
        "is completed",
        "está completad@",
        "está concluíd@",
    ),
    ("failed|error|fallido|fallida|falhou", "has failed", "tuvo un problema", "teve um problema"),
    (
        "available|disponible|disponivel|in stock|active|activo|activa|ativo|ativa",
        "is available",
        "está disponible",
        "está disponível",
    ),
    (
        "unavailable|out stock|sold out|agotado|agotada|esgotado|esgotada|no disponible|indisponivel",
        "is not available",
        "no está disponible",
        "não está disponível",
    ),
];
