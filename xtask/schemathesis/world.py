"""Creates the data that operations need, through the API, the emulator and the command line.

Each object has one use, so that fuzzing stays bounded. Objects that run (`agent`, `case`, `suite`) are never changed by a
generated body. Objects that change (`spare_agent`, ...) never run. Objects to delete, cancel or revoke are created right
before the request.
"""

import http.client
import json
import os
import sqlite3
import subprocess
import time
import urllib.parse
import uuid

URL = os.environ["FUZZ_URL"]
EMULATOR = os.environ["FUZZ_EMULATOR"]
KEY = os.environ["FUZZ_API_KEY"]
PROGRAM = os.environ["FUZZ_PROGRAM"]
DATA_DIR = os.environ["FUZZ_DATA_DIR"]

PHONES = ["+5511999990011", "+5511999990012", "+5511999990013"]
PATIENCE = 30


def call(method, path, body=None, headers=None):
    """Calls the server and returns the body of a 2xx."""
    place = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
    sent = {"X-API-Key": KEY, "Content-Type": "application/json"} | (headers or {})
    connection.request(method, path, None if body is None else json.dumps(body), sent)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:400]!r}")
    return json.loads(text) if text else None


def made(path, body):
    return call("POST", f"/api/v1/{path}", body)["data"]["id"]


def made_in_place(path, body, needed):
    """Like `made`; once the project has as many as it may, the listed ones that may be deleted make room, but for those
    with the ids that other operations need."""
    try:
        return made(path, body)
    except RuntimeError as refused:
        if "too_many" not in str(refused):
            raise
        for old in call("GET", f"/api/v1/{path}")["data"]:
            if old["id"] in needed:
                continue
            try:
                call("DELETE", f"/api/v1/{path}/{old['id']}")
            except RuntimeError as kept:
                # The destination URL of a config, or another thread has deleted it.
                if ": 409 " not in str(kept) and ": 404 " not in str(kept):
                    raise
        return made(path, body)


def first(path):
    """Waits for the first entry of a list, which a worker creates."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = call("GET", f"/api/v1/{path}")["data"]
        if found:
            return found[0]
        time.sleep(0.1)
    raise RuntimeError(f"nothing came to {path}")


def approved(name):
    """A template that WhatsApp has approved."""
    return first("whatsapp_templates?" + urllib.parse.urlencode({"q[status_eq]": "approved", "q[name_cont]": name}))


def program(*words):
    return subprocess.run([PROGRAM, *words], check=True, capture_output=True, text=True, timeout=PATIENCE).stdout


def says(phone, text):
    program("phone", "send", text, "--as", phone, "--emulator-url", EMULATOR)


def sign_in_code():
    """A code of a sign-in that was approved."""
    code = call("POST", "/api/cli/auth/request")["auth_code"]
    program("login", "approve", code, "--operator", "--email", "fuzz@example.com", "--data-dir", DATA_DIR)
    return code


def token():
    return call("POST", "/api/cli/auth/exchange", {"auth_code": sign_in_code()})["token"]


def member():
    """The id of the signed-in user, which no operation returns."""
    with sqlite3.connect(f"file:{DATA_DIR}/chasqui.db?mode=ro", uri=True) as database:
        return str(uuid.UUID(bytes=database.execute("SELECT id FROM users").fetchone()[0]))


def number(number_id, account="777000111222", token="EAAB-test"):
    return {"whatsapp_config": {"name": "Line", "phone_number_id": str(number_id), "business_account_id": account,
                                "webhook_verify_token": "check-me", "access_token": token}}


# The emulated account, its token (docs/spec/whatsapp-cloud-api.md 6.2), and its number that is not the sandbox's.
ACCOUNT = ("200000000000001", "EAAEMULATORTOKEN")
OWN_NUMBER = "100000000000002"


# Hands off to a person at once. Neither agent calls a URL.
HANDOFF = {
    "nodes": [
        {"name": "__start__", "type": "DefaultNode"},
        {"name": "person", "type": "HandoffNode", "handoff": {}},
        {"name": "__end__", "type": "DefaultNode"},
    ],
    "edges": [
        {"from": "__start__", "to": "person"},
        {"from": "person", "to": "__end__", "label": "done"},
    ],
}


# An outgoing webhook to a name that does not resolve.
HOOK = {"url": "https://hooks.invalid/", "secret_key": "s3cr3t-value", "events": ["whatsapp.message.failed"]}


class World:
    @classmethod
    def load(cls, text):
        """The world that this file, run as a program, created before."""
        world = cls.__new__(cls)
        vars(world).update(json.loads(text))
        return world

    def __init__(self):
        self.serial = 555_000_200_000
        self.desk = made("agents", {"agent": {"name": "Desk", "graph": HANDOFF}})
        self.executions = [self.handed_over(phone) for phone in PHONES]
        self.conversation = first("whatsapp_conversations")["id"]
        self.spare_conversation = call("GET", "/api/v1/whatsapp_conversations")["data"][1]["id"]
        self.conversation_execution = first(f"whatsapp_conversations/{self.conversation}/agent_executions")["id"]
        self.session = first("sandbox_sessions")["id"]
        self.contact = first("whatsapp_contacts")["id"]
        self.note = self.new_note()
        self.agent = made("agents", {"agent": {"name": "Talker", "system_prompt": "Be kind."}})
        self.spare_agent = made("agents", {"agent": {"name": "Spare"}})
        self.snapshot = made(f"agents/{self.agent}/agent_snapshots", {})
        self.chat = made(f"agents/{self.agent}/test_chats", {"message": "hello"})
        self.suite = first(f"agents/{self.agent}/test_suites")["id"]
        self.case = self.new_case(self.suite)
        self.run = self.new_run()
        self.spare_suite = made("test_suites", {"test_suite": {"name": "Spare", "agent_id": self.spare_agent}})
        self.spare_case = self.new_case(self.spare_suite)
        self.customer = self.new_customer()
        self.setup_link = made(f"customers/{self.customer}/setup_links", {})
        self.config = self.new_config()
        self.free_config = self.new_config()
        self.link = self.new_link()
        self.codes = [sign_in_code() for _ in range(4)]
        self.token = token()
        self.tokens_to_revoke = [token() for _ in range(4)]
        self.project = call("GET", "/api/cli/projects", headers={"X-CLI-Token": self.token})["data"][0]["id"]
        self.member = member()
        messages = call("GET", f"/api/v1/whatsapp_conversations/{self.conversation}/whatsapp_messages")["data"]
        self.message = next(message["id"] for message in messages if message["direction"] == "inbound")
        self.account = made(f"customers/{self.customer}/whatsapp_configs", number(OWN_NUMBER, *ACCOUNT))
        call("POST", "/api/v1/whatsapp_templates/sync", {"whatsapp_config_id": self.account})
        self.webhook = self.new_webhook()
        self.endpoint = self.new_endpoint()
        self.delivery = made(f"webhook_endpoints/{self.endpoint}/test", {})
        self.provider = self.new_provider()
        self.approved = approved("hello_world")["id"]
        self.draft = self.new_draft()
        self.editable = [self.new_draft() for _ in range(4)]
        for template in self.editable:
            call("POST", f"/api/v1/whatsapp_templates/{template}/submit", {})
        for template in self.editable:
            approved(self.name_of_draft(template))
        self.assignment = made(f"whatsapp_conversations/{self.spare_conversation}/conversation_assignments",
                               {"conversation_assignment": {"user_id": self.member}})

    def handed_over(self, phone):
        """An execution that waits for a person."""
        session = call("POST", "/api/v1/sandbox_sessions",
                       {"whatsapp_sandbox_session": {"phone_number": phone, "agent_id": self.desk}})["data"]
        says(phone, session["activation_code"])
        says(phone, "hello")
        query = urllib.parse.urlencode({"q[status_eq]": "handoff", "q[phone_number_eq]": phone})
        return first(f"agents/{self.desk}/executions?{query}")["id"]

    def next(self):
        self.serial += 1
        return self.serial

    def new_customer(self):
        return made("customers", {"customer": {"name": "Clinic", "external_customer_id": f"clinic-{self.next()}"}})

    def new_config(self):
        return made(f"customers/{self.customer}/whatsapp_configs", number(self.next()))

    def new_link(self):
        body = {"agent_whatsapp_config": {"whatsapp_config_id": self.new_config()}}
        return made(f"agents/{self.agent}/agent_whatsapp_configs", body)

    def new_case(self, suite):
        case = {"test_case": {"name": "Greets", "script": "Say hello.", "rubric": "It greets."}}
        return made(f"test_suites/{suite}/test_cases", case)

    def new_webhook(self):
        return made_in_place(f"whatsapp_configs/{self.account}/whatsapp_webhooks", {"whatsapp_webhook": HOOK}, vars(self).values())

    def new_endpoint(self):
        return made_in_place("webhook_endpoints", {"webhook_endpoint": HOOK}, vars(self).values())

    def new_provider(self):
        """Has no key, so that nothing is sent to it."""
        provider = {"model_provider": {"name": f"Provider {self.next()}", "kind": "Anthropic"}}
        return made_in_place("model_providers", provider, vars(self).values())

    def new_note(self):
        return made(f"whatsapp_contacts/{self.contact}/notes", {"note": {"content": "No penicillin"}})

    def new_draft(self):
        """A template that WhatsApp does not have yet."""
        template = {"name": f"visit_{self.next()}", "language_code": "en_US", "category": "UTILITY",
                    "components": [{"type": "BODY", "text": "Your visit is tomorrow."}]}
        return made("whatsapp_templates", {"template": template, "whatsapp_config_id": self.account})

    def name_of_draft(self, template):
        return call("GET", f"/api/v1/whatsapp_templates/{template}")["data"]["name"]

    def new_run(self):
        return made(f"test_cases/{self.case}/test_runs", {"agent_test_run": {}, "run_now": False})

    def path_value(self, operation, name, path):
        """The id for a parameter of the path in this operation, or None to keep the generated one."""
        match operation, name:
            case ("update_agent" | "create_agent_snapshot"), "agent_id":
                return self.spare_agent
            case "resume_agent_execution", "execution_id":
                return self.executions[0]
            case "update_agent_execution", "execution_id":
                return self.executions[1]
            case _, "execution_id":
                return self.executions[2]
            case "delete_agent", _:
                return made("agents", {"agent": {"name": "Spare"}})
            case _, "agent_id":
                return self.desk if "/executions/" in path else self.agent
            case "update_whatsapp_conversation", "conversation_id":
                return self.spare_conversation
            case _, _ if "/conversation_assignments" in path:
                return self.assignment if name == "id" else self.spare_conversation
            case _, "id" if "/agent_executions/" in path:
                return self.conversation_execution
            case _, "conversation_id" | "whatsapp_conversation_id":
                return self.conversation
            case _, "agent_snapshot_id":
                return self.snapshot
            case ("create_test_case" | "update_test_suite"), "test_suite_id":
                return self.spare_suite
            case _, "test_suite_id":
                return self.suite
            case "update_test_case", _:
                return self.spare_case
            case "delete_test_case", _:
                return self.new_case(self.spare_suite)
            case _, "test_case_id":
                return self.case
            case "cancel_test_run", _:
                return self.new_run()
            case _, "test_run_id":
                return self.run
            case "mark_whatsapp_message_as_read", _:
                return self.message
            case "send_whatsapp_template", _:
                return self.approved
            case ("submit_whatsapp_template" | "delete_whatsapp_template"), _:
                return self.new_draft()
            case "edit_whatsapp_template_on_meta", _:
                self.editable.append(self.editable.pop(0))
                return self.editable[0]
            case _, "template_id":
                return self.draft
            case _, "project_id":
                return self.project
            case _, "api_key_id":
                return made("api_keys", {"api_key": {"name": "Spare", "role": "viewer"}})
            case _, "invitation_id":
                return made("invitations", {"invitation": {"email": "guest@example.test", "role": "viewer"}})
            case "update_member" | "remove_member", _:
                # The person may have made the key of this run.
                return None
            case "delete_customer", _:
                return self.new_customer()
            case _, "customer_id":
                return self.customer
            case "delete_whatsapp_webhook", "id":
                return self.new_webhook()
            case _, "id" if "/whatsapp_webhooks/" in path:
                return self.webhook
            case _, "whatsapp_config_id":
                return self.account
            case "delete_model_provider", "id":
                return self.new_provider()
            case _, "id" if "/model_providers/" in path:
                return self.provider
            case "delete_webhook_endpoint", "id":
                return self.new_endpoint()
            case _, "id" if "/webhook_endpoints/" in path:
                return self.endpoint
            case _, "id" if "/webhook_deliveries/" in path:
                return self.delivery
            case "delete_whatsapp_config", _:
                return self.new_config()
            case _, "config_id":
                return self.config
            case _, "identifier":
                return self.contact
            case "delete_whatsapp_contact_note", "note_id":
                return self.new_note()
            case _, "note_id":
                return self.note
            case "delete_agent_whatsapp_config", "id":
                return self.new_link()
            case _, "id" if "/agent_whatsapp_configs/" in path:
                return self.link
            case _, "id" if "/setup_links/" in path:
                return self.setup_link
            case _, "id" if "/agent_snapshots/" in path:
                return self.snapshot
            case _, "id" if "/test_chats/" in path:
                return self.chat
            case "delete_sandbox_session", _:
                session = {"phone_number": f"+551{self.next()}", "agent_id": self.agent}
                return made("sandbox_sessions", {"whatsapp_sandbox_session": session})
            case _, "id" if "/sandbox_sessions/" in path:
                return self.session
            case _:
                return None

    def body_value(self, operation, key):
        """The same for an id in a body."""
        match key:
            case "agent_id":
                return self.spare_agent if operation == "create_test_suite" else self.agent
            case "customer_id":
                return self.customer
            case "user_id":
                return self.member
            case "agent_test_chat_id":
                return self.chat
            case "whatsapp_config_id":
                return self.account if "template" in operation else self.new_config()
            case _:
                return None


if __name__ == "__main__":
    print(json.dumps(vars(World())))
