"""Receives webhooks of a running server and verifies both signatures with other programs' code: the
package `standardwebhooks`, and plain HMAC. Every assertion is also made with one byte changed, where it must fail.
"""

import hashlib
import hmac
import http.client
import http.server
import json
import os
import queue
import threading
import urllib.parse

from standardwebhooks import Webhook, WebhookVerificationError

URL = os.environ["CHECK_URL"]
KEY = os.environ["CHECK_API_KEY"]
PATIENCE = 30

# Keys are any text: not base64, not ASCII, and one character.
SECRETS = ["s3cr3t-value", "clé secrète", "x"]

received = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        received.put((dict(self.headers), body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def call(method, path, body):
    place = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
    connection.request(method, "/api/v1/" + path, json.dumps(body), {"X-API-Key": KEY, "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status < 300, f"{method} {path}: {answer.status} {text[:400]!r}"
    return json.loads(text)["data"] if text else None


def plain(secret, headers, body):
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(headers["x-webhook-signature"], wanted)


def standard(secret, headers, body):
    try:
        Webhook(secret.encode()).verify(body, headers, json_parse=False)
        return True
    except (WebhookVerificationError, UnicodeDecodeError):
        return False


def next_event(endpoint, ids):
    delivery = call("POST", f"webhook_endpoints/{endpoint}/test", {})
    headers, body = received.get(timeout=PATIENCE)
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["webhook-id"] not in ids, "each event has an id of its own"
    ids.add(headers["webhook-id"])
    assert json.loads(body), delivery
    return headers, body


def check(secret):
    ids = set()
    endpoint = call("POST", "webhook_endpoints", {"webhook_endpoint": {
        "url": receiver_url, "secret_key": secret, "events": ["execution.ended"]}})["id"]
    headers, body = next_event(endpoint, ids)
    changed = body[:-1] + bytes([body[-1] ^ 1])
    for verifies in (plain, standard):
        assert verifies(secret, headers, body), (verifies.__name__, secret, headers)
        assert not verifies(secret, headers, changed), f"{verifies.__name__} accepts a changed body"
        assert not verifies(secret + "2", headers, body), f"{verifies.__name__} accepts another key"
    assert not standard(secret, headers | {"webhook-id": "other"}, body), "the id is signed"
    late = str(int(headers["webhook-timestamp"]) + 1)
    assert not standard(secret, headers | {"webhook-timestamp": late}, body), "the time is signed"

    call("POST", f"webhook_endpoints/{endpoint}/rotate_secret", {"secret_key": "another-key"})
    headers, body = next_event(endpoint, ids)
    assert standard(secret, headers, body) and standard("another-key", headers, body), "both keys sign in the overlap"
    assert plain("another-key", headers, body), "the new key signs at once"


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
receiver_url = f"http://127.0.0.1:{server.server_port}/hook"
for secret in SECRETS:
    check(secret)
print(f"signatures of {2 * len(SECRETS)} webhooks verify with standardwebhooks and with HMAC")
