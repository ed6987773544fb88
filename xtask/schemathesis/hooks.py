"""Replaces generated ids by existing ones, keeps the server's own requests on this machine, and counts the operations that
succeeded. `cargo xtask fuzz` sets the environment and reads the count.
"""

import atexit
import json
import os
import sys
import threading
import urllib.parse
import uuid
import zlib
from collections import Counter, defaultdict

import jsonschema_rs
import schemathesis
from hypothesis import strategies as st

sys.path.insert(0, os.path.dirname(__file__))
import world as worlds

LOOPBACK = os.environ["FUZZ_LOOPBACK"]
REPORT = os.environ["FUZZ_REPORT"]

# One request in this many keeps its generated id, which does not exist; none before the operation has succeeded once.
STRANGERS = 8

# Codes of refusals by schema (server/src/api/schema.rs). A request that its schema accepts must not be refused with these:
# then the document is more generous than the server. Other codes are for rules that no schema can express, and count only
# if the operation documents them.
BY_SCHEMA = {
    "blank",
    "invalid",
    "invalid_email",
    "invalid_format",
    "invalid_id",
    "invalid_phone_number",
    "invalid_time",
    "invalid_url",
    "out_of_range",
    "repeated",
    "too_few",
    "too_long",
    "too_many",
    "too_short",
    "unknown_value",
}

world = worlds.World.load(os.environ["FUZZ_WORLD"])
# Ids that other operations need: requests that delete must not take them.
KEPT = {value for value in vars(world).values() if isinstance(value, str)} | set(world.executions)
answers = defaultdict(Counter)
dropped = Counter()
# Bodies that the hooks changed, by identity; kept alive, so that no other body gets the same identity.
mended = set()
kept_alive = []
validators = {}
lock = threading.Lock()

phones = st.integers(min_value=10_000_000, max_value=99_999_999).map(lambda number: f"+55119{number}")
schemathesis.openapi.format("phone", phones)


def name_of(case):
    return case.operation.definition.raw["operationId"]


def is_id(value):
    try:
        return str(uuid.UUID(value)) == value.lower()
    except (AttributeError, TypeError, ValueError):
        return False


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def is_stranger(value):
    return zlib.crc32(str(value).encode()) % STRANGERS == 0


def settle(value, operation, key=""):
    """A body whose ids exist and whose URLs lead to this machine."""
    if isinstance(value, dict):
        return {key: settle(inner, operation, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [settle(inner, operation, key) for inner in value]
    if isinstance(value, str):
        if is_id(value) and not is_stranger(value):
            return world.body_value(operation, key) or value
        if leads_out(value):
            return LOOPBACK
    return value


def leads_out(text):
    try:
        return urllib.parse.urlsplit(text.strip()).scheme.lower() in ("http", "https", "ws", "wss", "ftp")
    except ValueError:
        return "://" in text


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = name_of(case)
    path = case.operation.path
    succeeded = any(200 <= status < 300 for status in list(answers[operation]))
    parameters = list((case.path_parameters or {}).items())
    # All or none: an id found in an answer belongs to the ids before it in the path.
    stranger = succeeded and is_stranger([value for _, value in parameters]) and (not parameters or parameters[-1][1] not in KEPT)
    for name, value in [] if stranger else parameters:
        if is_id(value) or (name == "identifier" and value):
            case.path_parameters[name] = world.path_value(operation, name, path) or value
    if is_positive(case):
        for name in [name for name, value in (case.query or {}).items() if value in (None, "None")]:
            # A null of an answer, which the tool copied into a query.
            del case.query[name]
    if isinstance(case.body, (dict, list)):
        settled = settle(case.body, operation)
        if settled != case.body:
            case.body = settled
            kept_alive.append(settled)
            mended.add(id(settled))
    if operation == "delete_project" and isinstance(case.body, dict):
        typed = case.body.get("project")
        if isinstance(typed, dict) and isinstance(typed.get("name"), str):
            # With its name, the project of all other requests would be gone.
            typed["name"] = "not the name"
    if operation == "update_project" and isinstance(case.body, dict):
        changes = case.body.get("project")
        if isinstance(changes, dict) and changes.get("archived") is True:
            # An archived project would refuse all other writes.
            changes["archived"] = False
    # Values that work once are used for requests that are valid otherwise.
    valid = is_positive(case) and case.method == "POST"
    if operation == "cli_exchange_auth" and valid and isinstance(case.body, dict) and world.codes:
        case.body["auth_code"] = world.codes.pop()
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) < 200 and key.isascii() and key.isprintable():
        # An idempotency key used for other requests is refused, which would hide other failures of theirs.
        case.headers["Idempotency-Key"] = f"{key}-{zlib.crc32(repr((operation, case.body)).encode())}"
    if operation == "cli_revoke_token" and case.method == "POST" and (case.headers or {}).get("X-CLI-Token"):
        spare = valid and world.tokens_to_revoke
        case.headers["X-CLI-Token"] = world.tokens_to_revoke.pop() if spare else "used-up"


@schemathesis.hook
def after_call(context, case, response):
    with lock:
        answers[name_of(case)][response.status_code] += 1


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """True if a failure counts, given the rules that OpenAPI cannot express."""
    name = type(failure).__name__
    reason = expected(name, case, response)
    if reason:
        with lock:
            dropped[reason] += 1
    return not reason


def expected(failure, case, response):
    """Reason why a failure does not count, or None."""
    if failure == "AcceptedNegativeData":
        return harmless(case)
    if failure != "RejectedPositiveData":
        return None
    if not keeps_schema(case):
        # A null of an answer, which the tool copied into a request.
        return "wrong after all"
    body = response.json()
    if response.status_code == 400 and body["code"] == "malformed":
        return malformed(case, body["message"])
    if response.status_code != 422:
        return None
    details = body["details"] or [{"code": body["code"], "path": ""}]
    reasons = {beyond_schema(case, detail) for detail in details}
    return None if None in reasons else min(reasons)


def keeps_schema(case):
    """True if the document accepts the JSON as it was sent, by another validator than the tool's. Forms always pass."""
    operation, name = case.operation, name_of(case)
    if case.media_type != "application/json" or not isinstance(case.body, (dict, list)):
        return True
    if name not in validators:
        content = operation.definition.raw["requestBody"]["content"]["application/json"]
        schema = content["schema"] | {"components": operation.schema.raw_schema["components"]}
        validators[name] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    # The tool sends bytes in place of a JSON string as they are.
    return validators[name].is_valid(json.loads(json.dumps(case.body)))


def harmless(case):
    """Reason why a request that was generated as invalid is valid as sent, or None."""
    if "" in flat(case.query):
        # `allowEmptyValue`: a parameter without a value counts as absent, whatever its type.
        return "empty parameter"
    if id(case.body) in mended and keeps_schema(case):
        # The invalid part was an id or a URL, which the hooks replaced.
        return "mended"
    return None


def malformed(case, message):
    """Refusals with 400 that no schema can express."""
    if "NUL" in message:
        return "NUL"
    if "message" in case.operation.path and "the field " in message:
        # Names of form fields that give no name of an object, or that appear twice.
        return "form"
    if message == "the form is invalid: failed to read headers" and any(map(is_unwritable, case.body or ())):
        return "form"
    wrapper = message.removeprefix("Parameter ").removesuffix(" is required")
    if isinstance(case.body, dict) and case.body.get(wrapper) == {}:
        # The contract treats an empty object as an absent one.
        return "empty object"
    if message in ("Can only mark inbound messages as read", "Phone number is required"):
        # Depends on the message in the path, not on the query or the body.
        return "contract's 400"
    return None


def is_unwritable(name):
    """True if a header cannot hold the value; the tool sends it regardless."""
    return any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in str(name))


def beyond_schema(case, detail):
    """Reason why a value that its schema accepts was refused, or None if the document does not allow that."""
    code, path = detail["code"], detail["path"]
    parts = path.split("/")
    if "graph" in parts[1:3]:
        # Nodes and edges that do not fit together; the codes are in domain/src/agent/codes.rs.
        return "graph"
    if code in ("too_many_api_keys", "storage_full"):
        # Limits of a project, which the document's introduction describes.
        return "limit"
    if path == "/invitation/email":
        # The form of an address is stricter than its pattern.
        return "address"
    if path == "/setup_link/phone_number_country_isos":
        # Codes of two letters; the document bounds the list, not its items.
        return "country"
    if code not in BY_SCHEMA:
        return code if f"`{code}`" in documented(case.operation) else None
    # Fields that a message type needs, since the contract has one flat object for all; WhatsApp's rules for templates; values
    # that do not match the placeholders.
    return parts[1] if parts[1:2] in (["message"], ["template"]) and len(parts) > 2 else None


# Operations whose document refers to another operation for its refusals.
AS_IN = {"create_standalone_whatsapp_message": "create_whatsapp_message"}


def documented(operation):
    """The document's text about an operation's refusals."""
    raw = operation.definition.raw
    texts = [answer.get("description", "") for status, answer in raw["responses"].items() if status.startswith("4")]
    other = AS_IN.get(raw["operationId"])
    if other:
        items = operation.schema.raw_schema["paths"].values()
        responses = (item["responses"] for path in items for item in path.values() if item.get("operationId") == other)
        texts += [answer.get("description", "") for found in responses for answer in found.values()]
    return " ".join(texts)


def flat(query):
    for value in (query or {}).values():
        yield from value if isinstance(value, list) else [value]


@atexit.register
def report():
    with open(REPORT, "w") as file:
        json.dump({"answers": answers, "dropped": dropped}, file, indent=1, sort_keys=True)
