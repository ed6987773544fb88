//! What dates, times and counted numbers look like, word by word.

/// Names of months, folded.
pub(super) const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "setiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "janeiro",
    "fevereiro",
    "marco",
    "maio",
    "junho",
    "julho",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
];
/// Words for days, folded.
pub(super) const DAYS: &[&str] = &[
    "today",
    "tomorrow",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "hoy",
    "lunes",
    "martes",
    "miercoles",
    "jueves",
    "viernes",
    "sabado",
    "domingo",
    "hoje",
    "amanha",
    "segunda-feira",
    "terca-feira",
    "quarta-feira",
    "quinta-feira",
    "sexta-feira",
    "segunda",
    "terca",
    "quarta",
    "quinta",
    "sexta",
];
/// After a number: it counts something.
pub(super) const UNITS: &[&str] = &[
    "day", "days", "week", "weeks", "month", "months", "year", "years", "hour", "hours", "minute", "minutes", "times",
    "people", "persons", "items", "dia", "dias", "semana", "semanas", "mes", "meses", "ano", "anos", "hora", "horas",
    "minuto", "minutos", "veces", "vezes", "personas", "pessoas", "euros", "eur", "dollars", "usd", "pesos", "reais",
    "am", "pm", "h", "hs", "o'clock", "am.", "pm.",
];
/// Numbers in words.
pub(super) const SMALL_NUMBERS: &[(&str, i64)] = &[
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("uno", 1),
    ("dos", 2),
    ("tres", 3),
    ("cuatro", 4),
    ("cinco", 5),
    ("seis", 6),
    ("siete", 7),
    ("ocho", 8),
    ("nueve", 9),
    ("diez", 10),
    ("dois", 2),
    ("duas", 2),
    ("quatro", 4),
    ("sete", 7),
    ("oito", 8),
    ("nove", 9),
    ("dez", 10),
];

/// `2026-05-12`, `12/05/26`, `12/05`.
pub(super) fn is_numeric_date(token: &str) -> bool {
    ['-', '/', '.'].iter().any(|separator| {
        let parts: Vec<&str> = token.split(*separator).collect();
        let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let numeric = parts.iter().all(|part| !part.is_empty() && part.len() <= 4) && parts.iter().all(digits);
        let small = |part: &str| part.len() <= 2 && part.parse::<u8>().is_ok_and(|value| (1..=31).contains(&value));
        match parts.as_slice() {
            [year, month, day] if year.len() == 4 => numeric && small(month) && small(day),
            [day, month, year] => numeric && small(day) && small(month) && (year.len() == 4 || year.len() == 2),
            [day, month] => *separator == '/' && numeric && small(day) && small(month),
            _ => false,
        }
    })
}

/// `10:30`, `10h30`, `3pm`.
pub(super) fn is_time(token: &str) -> bool {
    let short = |part: &str, limit: u8| {
        !part.is_empty() && part.len() <= 2 && part.parse::<u8>().is_ok_and(|value| value < limit)
    };
    let plain = token.strip_suffix("am").or_else(|| token.strip_suffix("pm")).or_else(|| token.strip_suffix("hs"));
    if let Some(front) = plain
        && short(front, 13)
    {
        return true;
    }
    let token = plain.unwrap_or(token);
    let Some((hour, minute)) = token.split_once(':').or_else(|| token.split_once('h')) else { return false };
    short(hour, 24) && (short(minute, 60) || (minute.is_empty() && token.ends_with('h')))
}
