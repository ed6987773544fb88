//! Names of fields and arguments in three languages.
//!
//! `order_number`, `numero_pedido` and `numeroDoPedido` are all "número de pedido" in Spanish. A
//! key is taken apart into a property (number, date, name …) and a thing (order, appointment …). A
//! key with a word outside the tables stays as it is.

use crate::language::Language;
use crate::text::{is_in, words};

/// A noun ready for a sentence.
#[derive(Debug)]
pub(crate) struct Noun {
    /// "order number"
    pub(crate) bare: String,
    /// "the order number"
    pub(crate) definite: String,
    /// "your order number"
    pub(crate) yours: String,
    /// For agreement in Spanish and Portuguese.
    pub(crate) is_feminine: bool,
}

/// Keys, divided by commas; English; Spanish and Portuguese with their article, which tells the
/// gender.
const PROPERTIES: &str = "\
number, numero, num, nro, id | number | el número | o número
code, codigo | code | el código | o código
name, nombre, nome, full name | name | el nombre | o nome
email, e mail, mail, correo, correo electronico | e-mail address | el correo | o e-mail
phone, phone number, telefono, celular, telefone | phone number | el teléfono | o telefone
address, direccion, endereco | address | la dirección | o endereço
date, fecha, data, day, dia | date | la fecha | a data
time, hora, horario | time | la hora | a hora
status, state, estado, situacao | status | el estado | a situação
price, precio, preco | price | el precio | o preço
total, total price, total amount | total | el total | o total
amount, monto, importe, valor | amount | el importe | o valor
carrier, courier, transportista, transportadora | carrier | la empresa de transporte | a transportadora
eta, estimated delivery, expected delivery, entrega estimada, entrega prevista | expected delivery | la entrega prevista | \
a entrega prevista
quantity, qty, cantidad, quantidade | quantity | la cantidad | a quantidade
people, guests, personas, pessoas | number of people | el número de personas | o número de pessoas
reason, motivo | reason | el motivo | o motivo
specialty, especialidad, especialidade | specialty | la especialidad | a especialidade
items, articulos, itens | items | los artículos | os itens
question, pregunta, pergunta, query | question | la pregunta | a pergunta";

/// As above, with two more columns: the noun as a qualifier, "de la cita" and "da consulta".
const THINGS: &str = "\
order, pedido, orden, purchase, compra, encomenda | order | el pedido | o pedido | de pedido | do pedido
appointment, cita, consulta, turno | appointment | la cita | a consulta | de la cita | da consulta
booking, reservation, reserva | booking | la reserva | a reserva | de la reserva | da reserva
delivery, entrega | delivery | la entrega | a entrega | de entrega | da entrega
parcel, package, shipment, envio, paquete, pacote | parcel | el envío | o envio | del envío | do envio
invoice, bill, factura, fatura | invoice | la factura | a fatura | de la factura | da fatura
payment, pago, pagamento | payment | el pago | o pagamento | del pago | do pagamento
customer, client, cliente | customer | el cliente | o cliente | de cliente | de cliente
patient, paciente | patient | el paciente | o paciente | del paciente | do paciente
product, producto, produto, item, articulo | product | el producto | o produto | del producto | do produto
account, cuenta, conta | account | la cuenta | a conta | de cuenta | da conta";

/// A status at the end of a sentence about a thing; `@` is the ending that agrees with it.
const STATUSES: &str = "\
shipped, sent, dispatched, enviado, enviada, despachado | has been shipped | ya fue enviad@ | já foi enviad@
in transit, on way, camino, transito, caminho | is on its way | está en camino | está a caminho
delivered, entregado, entregada, entregue | has been delivered | ya fue entregad@ | já foi entregue
processing, preparing, preparacion, preparacao, in progress, andamento | is being prepared | está en preparación | \
está em preparação
pending, waiting, pendiente, pendente, open | is pending | está pendiente | está pendente
confirmed, confirmado, confirmada, booked, scheduled | is confirmed | está confirmad@ | está confirmad@
cancelled, canceled, cancelado, cancelada | has been cancelled | fue cancelad@ | foi cancelad@
paid, pagado, pagada, pago, paga | has been paid | está pagad@ | está pag@
ready, listo, lista, pronto, pronta | is ready | está list@ | está pront@
delayed, late, retrasado, retrasada, atrasado, atrasada | is delayed | está retrasad@ | está atrasad@
completed, done, completado, concluido, closed | is completed | está completad@ | está concluíd@";

/// The noun for an argument or a field; None if a word of it is unknown.
pub(crate) fn noun(key: &str, language: Language) -> Option<Noun> {
    let parts = parts(key);
    let whole = parts.join(" ");
    if let Some(row) = find(PROPERTIES, &whole).or_else(|| find(THINGS, &whole)) {
        return Some(build(&row, None, language));
    }
    let [first, second] = parts.as_slice() else { return None };
    let both = |property, thing| Some((find(PROPERTIES, property)?, find(THINGS, thing)?));
    let (property, thing) = both(first, second).or_else(|| both(second, first))?;
    Some(build(&property, Some(&thing), language))
}

/// The thing that an id belongs to: `order_number` → order.
pub(crate) fn thing_of(key: &str, language: Language) -> Option<Noun> {
    let mut parts = parts(key);
    if parts.len() == 2 {
        parts.retain(|part| !is_in("number numero num nro id code codigo", part));
    }
    let [thing] = parts.as_slice() else { return None };
    find(THINGS, thing).map(|row| build(&row, None, language))
}

/// The first thing in a tool's name.
pub(crate) fn thing_in(name: &str, language: Language) -> Option<Noun> {
    let row =
        words(name).list.iter().find_map(|word| find(THINGS, word).or_else(|| find(THINGS, word.strip_suffix('s')?)));
    row.map(|row| build(&row, None, language))
}

pub(crate) fn status(value: &str, language: Language, is_feminine: bool) -> Option<String> {
    let row = find(STATUSES, &parts(value).join(" "))?;
    Some(row.get(language as usize + 1)?.replace('@', if is_feminine { "a" } else { "o" }))
}

/// The words of a key without "of", "the" and the like.
pub(crate) fn parts(key: &str) -> Vec<String> {
    words(key).list.into_iter().filter(|word| !is_in("de da do del la el the of o a", word)).collect()
}

/// The columns of the row with this key.
fn find(table: &'static str, key: &str) -> Option<Vec<&'static str>> {
    let row =
        table.lines().find(|row| row.split('|').next().is_some_and(|keys| keys.split(',').any(|k| k.trim() == key)))?;
    Some(row.split('|').map(str::trim).collect())
}

fn build(row: &[&str], thing: Option<&[&str]>, language: Language) -> Noun {
    let column = language as usize + 1;
    let (article, name) = match language {
        Language::English => ("the", row[column]),
        _ => row[column].split_once(' ').unwrap_or(("", row[column])),
    };
    let bare = match (thing, language) {
        (None, _) => name.to_owned(),
        // "The patient's name", but "the order number".
        (Some(thing), Language::English) if is_in("patient customer", thing[1]) => format!("{}'s {name}", thing[1]),
        (Some(thing), Language::English) => format!("{} {name}", thing[1]),
        (Some(thing), _) => format!("{name} {}", thing[column + 2]),
    };
    let is_feminine = is_in("la las a as", article);
    let possessive = match language {
        Language::English => "your",
        Language::Spanish if article.ends_with('s') => "tus",
        Language::Spanish => "tu",
        Language::Portuguese if is_feminine => "a sua",
        Language::Portuguese => "o seu",
    };
    Noun { definite: format!("{article} {bare}"), yours: format!("{possessive} {bare}"), bare, is_feminine }
}
