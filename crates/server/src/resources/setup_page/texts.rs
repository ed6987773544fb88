//! Texts of the setup page in English, Spanish and Portuguese.

use super::outcome::Reason;
use crate::resources::whatsapp_configs::HealthPart;
use axum::http::{HeaderMap, header};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    En,
    Es,
    Pt,
}

impl Language {
    pub(super) const ALL: [Self; 3] = [Self::En, Self::Es, Self::Pt];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Pt => "pt",
        }
    }

    /// For a signed state.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::En => 0,
            Self::Es => 1,
            Self::Pt => 2,
        }
    }

    pub(super) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.number() == number)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Es => "Español",
            Self::Pt => "Português",
        }
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The language of the parameter `lang`, else the most wanted one of `Accept-Language`.
    pub(super) fn of(query: &str, headers: &HeaderMap) -> Self {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        if let Some(asked) = pairs.find(|(name, _)| name == "lang").and_then(|(_, tag)| Self::of_tag(&tag)) {
            return asked;
        }
        let list = headers.get(header::ACCEPT_LANGUAGE).and_then(|list| list.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Self::En);
        for item in list.split(',') {
            let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=").and_then(|text| text.parse().ok()).unwrap_or(0.0);
            if let Some(language) = Self::of_tag(tag.trim()).filter(|_| weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }

    pub(super) const fn texts(self) -> &'static Texts {
        match self {
            Self::En => &EN,
            Self::Es => &ES,
            Self::Pt => &PT,
        }
    }
}

pub(super) struct Texts {
    pub(super) title: &'static str,
    pub(super) customer: &'static str,
    pub(super) project: &'static str,
    pub(super) intro: &'static str,
    pub(super) name: &'static str,
    pub(super) name_hint: &'static str,
    pub(super) phone_number_id: &'static str,
    pub(super) business_account_id: &'static str,
    pub(super) id_hint: &'static str,
    pub(super) access_token: &'static str,
    pub(super) access_token_hint: &'static str,
    pub(super) connect: &'static str,
    pub(super) sign_up: &'static str,
    pub(super) sign_up_hint: &'static str,
    pub(super) by_credentials: &'static str,
    pub(super) choose: &'static str,
    pub(super) pin: &'static str,
    pub(super) pin_hint: &'static str,
    pub(super) wrong_pin: &'static str,
    pub(super) cancel: &'static str,
    pub(super) back: &'static str,
    pub(super) wrong_name: &'static str,
    pub(super) wrong_id: &'static str,
    pub(super) wrong_token: &'static str,
    pub(super) connected: &'static str,
    pub(super) healthy: &'static str,
    pub(super) not_healthy: &'static str,
    pub(super) webhook: &'static str,
    pub(super) callback_url: &'static str,
    pub(super) verify_token: &'static str,
    unknown: &'static str,
    used: &'static str,
    expired: &'static str,
    revoked: &'static str,
    too_many: &'static str,
    token_invalid: &'static str,
    number_not_readable: &'static str,
    account_not_readable: &'static str,
    not_in_account: &'static str,
    number_taken: &'static str,
    unreachable: &'static str,
    cancelled: &'static str,
    sign_up_failed: &'static str,
    no_number: &'static str,
    pin_refused: &'static str,
    bad_number: &'static str,
    bad_messaging: &'static str,
    bad_subscription: &'static str,
    bad_handshake: &'static str,
}

impl Texts {
    pub(super) const fn reason(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::Unknown => self.unknown,
            Reason::Used => self.used,
            Reason::Expired => self.expired,
            Reason::Revoked => self.revoked,
            Reason::TooMany => self.too_many,
            Reason::TokenInvalid => self.token_invalid,
            Reason::NumberNotReadable => self.number_not_readable,
            Reason::AccountNotReadable => self.account_not_readable,
            Reason::NotInAccount => self.not_in_account,
            Reason::NumberTaken => self.number_taken,
            Reason::Unreachable => self.unreachable,
            Reason::Cancelled => self.cancelled,
            Reason::SignUpFailed => self.sign_up_failed,
            Reason::NoNumber => self.no_number,
            Reason::PinRefused => self.pin_refused,
        }
    }

    pub(super) const fn failing(&self, part: HealthPart) -> &'static str {
        match part {
            HealthPart::Number => self.bad_number,
            HealthPart::Messaging => self.bad_messaging,
            HealthPart::Subscription => self.bad_subscription,
            HealthPart::Handshake => self.bad_handshake,
        }
    }
}

static EN: Texts = Texts {
    title: "Connect a WhatsApp number",
    customer: "Number of",
    project: "Used by",
    intro: "Messages to this number will be received, and answered, by the service named above. You find the values in \
            Meta's App Dashboard under WhatsApp, API Setup.",
    name: "Name",
    name_hint: "Only to recognise the number.",
    phone_number_id: "Phone number ID",
    business_account_id: "WhatsApp Business Account ID",
    id_hint: "Digits only. It is not the phone number.",
    access_token: "Access token",
    access_token_hint: "Of a system user, with whatsapp_business_messaging and whatsapp_business_management. It is stored \
                        encrypted.",
    connect: "Connect number",
    sign_up: "Continue with Facebook",
    sign_up_hint: "Meta asks you to sign in and to choose the business account. You can create a number there, too.",
    by_credentials: "Or enter the credentials of the number",
    choose: "Choose the number",
    pin: "PIN of the number",
    pin_hint: "Six digits. If the number has two-step verification, its PIN; else a new one, which you should keep.",
    wrong_pin: "Choose a number and enter six digits.",
    cancel: "Cancel",
    back: "Continue",
    wrong_name: "Enter a name of at most 120 characters.",
    wrong_id: "Enter the ID, digits only.",
    wrong_token: "Enter the whole token, without spaces.",
    connected: "The number is connected",
    healthy: "Everything works.",
    not_healthy: "It is not working completely yet:",
    webhook: "If the number uses an app of your own, enter these two values in its webhook settings at Meta:",
    callback_url: "Callback URL",
    verify_token: "Verify token",
    unknown: "This link does not exist. Check that you copied all of it, or ask for a new one.",
    used: "This link has been used: a number is connected. To connect another one, ask for a new link.",
    expired: "This link has expired. Ask for a new one.",
    revoked: "This link is no longer valid. Ask for a new one.",
    too_many: "Too many attempts. Wait a minute and try again.",
    token_invalid: "Meta does not accept this access token. Check that it is complete and has not expired.",
    number_not_readable: "With this access token Meta shows no number with this phone number ID.",
    account_not_readable: "With this access token Meta does not show this business account.",
    not_in_account: "The number does not belong to this business account.",
    number_taken: "This number is connected already. Disconnect it there first.",
    unreachable: "Meta gave no answer. The number is checked again in some minutes; messages wait until then.",
    cancelled: "You have not agreed at Meta. No number was connected.",
    sign_up_failed: "Meta did not confirm the sign-up. Try again.",
    no_number: "Meta shows no number that you have given access to. Try again and choose a business account with a number.",
    pin_refused: "Meta did not register the number. Check its PIN, or wait if there were several attempts.",
    bad_number: "Meta reports a problem with the number or the access token.",
    bad_messaging: "The number cannot send messages: a permission of the access token is missing, or Meta blocks it.",
    bad_subscription: "Messages do not arrive: the app is not subscribed to the business account.",
    bad_handshake: "Meta has not confirmed the webhook yet. It is confirmed by the first message that arrives.",
};

static ES: Texts = Texts {
    title: "Conectar un número de WhatsApp",
    customer: "Número de",
    project: "Lo usará",
    intro: "Los mensajes a este número los recibirá y contestará el servicio indicado arriba. Encontrará los datos en el \
            panel de aplicaciones de Meta, en WhatsApp, Configuración de la API.",
    name: "Nombre",
    name_hint: "Solo para reconocer el número.",
    phone_number_id: "Identificador del número de teléfono",
    business_account_id: "Identificador de la cuenta de WhatsApp Business",
    id_hint: "Solo cifras. No es el número de teléfono.",
    access_token: "Token de acceso",
    access_token_hint: "De un usuario del sistema, con whatsapp_business_messaging y whatsapp_business_management. Se guarda \
                        cifrado.",
    connect: "Conectar número",
    sign_up: "Continuar con Facebook",
    sign_up_hint: "Meta le pide que inicie sesión y elija la cuenta de empresa. Allí también puede crear un número.",
    by_credentials: "O escriba los datos de acceso del número",
    choose: "Elija el número",
    pin: "PIN del número",
    pin_hint: "Seis cifras. Si el número tiene verificación en dos pasos, su PIN; si no, uno nuevo, que debe guardar.",
    wrong_pin: "Elija un número y escriba seis cifras.",
    cancel: "Cancelar",
    back: "Continuar",
    wrong_name: "Escriba un nombre de 120 caracteres como máximo.",
    wrong_id: "Escriba el identificador, solo cifras.",
    wrong_token: "Escriba el token completo, sin espacios.",
    connected: "El número está conectado",
    healthy: "Todo funciona.",
    not_healthy: "Todavía no funciona del todo:",
    webhook: "Si el número usa una aplicación propia, escriba estos dos valores en su configuración de webhooks en Meta:",
    callback_url: "URL de devolución de llamada",
    verify_token: "Token de verificación",
    unknown: "Este enlace no existe. Compruebe que lo copió entero o pida otro.",
    used: "Este enlace ya se usó: hay un número conectado. Para conectar otro, pida un enlace nuevo.",
    expired: "Este enlace ha caducado. Pida uno nuevo.",
    revoked: "Este enlace ya no es válido. Pida uno nuevo.",
    too_many: "Demasiados intentos. Espere un minuto y vuelva a intentarlo.",
    token_invalid: "Meta no acepta este token de acceso. Compruebe que está completo y que no ha caducado.",
    number_not_readable: "Con este token de acceso Meta no muestra ningún número con ese identificador.",
    account_not_readable: "Con este token de acceso Meta no muestra esa cuenta de WhatsApp Business.",
    not_in_account: "El número no pertenece a esa cuenta de WhatsApp Business.",
    number_taken: "Este número ya está conectado. Desconéctelo allí primero.",
    unreachable: "Meta no respondió. El número se comprobará de nuevo en unos minutos; hasta entonces los mensajes esperan.",
    cancelled: "No dio su acuerdo en Meta. No se conectó ningún número.",
    sign_up_failed: "Meta no confirmó el registro. Inténtelo de nuevo.",
    no_number: "Meta no muestra ningún número al que haya dado acceso. Inténtelo de nuevo y elija una cuenta de empresa con un número.",
    pin_refused: "Meta no registró el número. Compruebe su PIN o espere si hubo varios intentos.",
    bad_number: "Meta informa de un problema con el número o con el token de acceso.",
    bad_messaging: "El número no puede enviar mensajes: falta un permiso del token de acceso o Meta lo bloquea.",
    bad_subscription: "Los mensajes no llegan: la aplicación no está suscrita a la cuenta de WhatsApp Business.",
    bad_handshake: "Meta todavía no ha confirmado el webhook. Lo confirma el primer mensaje que llegue.",
};

static PT: Texts = Texts {
    title: "Conectar um número do WhatsApp",
    customer: "Número de",
    project: "Será usado por",
    intro: "As mensagens para este número serão recebidas e respondidas pelo serviço indicado acima. Você encontra os dados \
            no painel de aplicativos da Meta, em WhatsApp, Configuração da API.",
    name: "Nome",
    name_hint: "Só para reconhecer o número.",
    phone_number_id: "Identificação do número de telefone",
    business_account_id: "Identificação da conta do WhatsApp Business",
    id_hint: "Só algarismos. Não é o número de telefone.",
    access_token: "Token de acesso",
    access_token_hint: "De um usuário do sistema, com whatsapp_business_messaging e whatsapp_business_management. É guardado \
                        cifrado.",
    connect: "Conectar número",
    sign_up: "Continuar com o Facebook",
    sign_up_hint: "A Meta pede que você entre e escolha a conta da empresa. Lá você também pode criar um número.",
    by_credentials: "Ou escreva os dados de acesso do número",
    choose: "Escolha o número",
    pin: "PIN do número",
    pin_hint: "Seis algarismos. Se o número tem confirmação em duas etapas, o PIN dele; se não, um novo, que você deve guardar.",
    wrong_pin: "Escolha um número e escreva seis algarismos.",
    cancel: "Cancelar",
    back: "Continuar",
    wrong_name: "Escreva um nome de no máximo 120 caracteres.",
    wrong_id: "Escreva a identificação, só algarismos.",
    wrong_token: "Escreva o token inteiro, sem espaços.",
    connected: "O número está conectado",
    healthy: "Tudo funciona.",
    not_healthy: "Ainda não funciona por completo:",
    webhook: "Se o número usa um aplicativo seu, escreva estes dois valores na configuração de webhooks dele na Meta:",
    callback_url: "URL de retorno de chamada",
    verify_token: "Token de verificação",
    unknown: "Este link não existe. Verifique se o copiou inteiro ou peça outro.",
    used: "Este link já foi usado: há um número conectado. Para conectar outro, peça um link novo.",
    expired: "Este link expirou. Peça um novo.",
    revoked: "Este link não é mais válido. Peça um novo.",
    too_many: "Tentativas demais. Espere um minuto e tente de novo.",
    token_invalid: "A Meta não aceita este token de acesso. Verifique se está inteiro e não expirou.",
    number_not_readable: "Com este token de acesso a Meta não mostra nenhum número com essa identificação.",
    account_not_readable: "Com este token de acesso a Meta não mostra essa conta do WhatsApp Business.",
    not_in_account: "O número não pertence a essa conta do WhatsApp Business.",
    number_taken: "Este número já está conectado. Desconecte-o lá primeiro.",
    unreachable: "A Meta não respondeu. O número será verificado de novo em alguns minutos; até lá as mensagens esperam.",
    cancelled: "Você não concordou na Meta. Nenhum número foi conectado.",
    sign_up_failed: "A Meta não confirmou o cadastro. Tente de novo.",
    no_number: "A Meta não mostra nenhum número a que você deu acesso. Tente de novo e escolha uma conta de empresa com um número.",
    pin_refused: "A Meta não registrou o número. Verifique o PIN dele ou espere se houve várias tentativas.",
    bad_number: "A Meta informa um problema com o número ou com o token de acesso.",
    bad_messaging: "O número não pode enviar mensagens: falta uma permissão do token de acesso, ou a Meta o bloqueia.",
    bad_subscription: "As mensagens não chegam: o aplicativo não está inscrito na conta do WhatsApp Business.",
    bad_handshake: "A Meta ainda não confirmou o webhook. A primeira mensagem que chegar o confirma.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn language_is_the_parameter_or_the_most_wanted_one() {
        let of = |query: &str, list: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(list));
            Language::of(query, &headers)
        };
        assert_eq!(of("", "de, pt-BR;q=0.8, en;q=0.5"), Language::Pt);
        assert_eq!(of("", "es-419,es;q=0.9,en;q=0.8"), Language::Es);
        assert_eq!(of("", "fr, *;q=0.1"), Language::En);
        assert_eq!(of("a=b&lang=pt-br", "es"), Language::Pt);
        assert_eq!(of("lang=xx", "es"), Language::Es);
        assert_eq!(of("", "pt;q=0"), Language::En);
    }
}
