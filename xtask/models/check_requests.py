"""Checks requests for models with code that is not ours: the types of the Python SDKs of OpenAI and Anthropic, and
the conversions of litellm for six providers.

MODEL_REQUESTS is a folder with a file of JSON lines for each dialect, written by the hostile history test.
"""

import copy
import json
import logging
import os
import pathlib
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import anthropic
import litellm
import openai
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from litellm.llms.vertex_ai.gemini.transformation import _transform_request_body
from litellm.utils import ProviderConfigManager
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter, ValidationError

FOLDER = pathlib.Path(os.environ["MODEL_REQUESTS"])
# Of a whole answer and of a streamed one.
COMPLETION = (CompletionCreateParamsNonStreaming, CompletionCreateParamsStreaming)
TYPES = {
    "OpenAI": COMPLETION,
    "OpenAI reasoning": COMPLETION,
    "Anthropic": (MessageCreateParamsNonStreaming, MessageCreateParamsStreaming),
}
CONVERSIONS = {
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "mistral": "mistral-large-latest",
    "deepseek": "deepseek-chat",
    "groq": "llama-3.3-70b-versatile",
    "bedrock": "anthropic.claude-3-5-sonnet-20240620-v1:0",
}


def forbid_unknown_members():
    """A TypedDict takes unknown members unless it says otherwise."""
    for name, module in list(sys.modules.items()):
        if not name.startswith(("openai.types", "anthropic.types")):
            continue
        for kind in vars(module).values():
            if isinstance(kind, type) and hasattr(kind, "__total__") and hasattr(kind, "__annotations__"):
                kind.__pydantic_config__ = {"extra": "forbid", "arbitrary_types_allowed": True}


def read_all(value):
    """Pydantic validates the items of an Iterable when they are read."""
    if isinstance(value, dict):
        for part in value.values():
            read_all(part)
    elif not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
        for part in value:
            read_all(part)


def validate(adapters, request):
    adapter = adapters[request.get("stream", False)]
    request = dict(request)
    # Models up to Claude 4.6 take it, later ones do not; the SDK has it no more. OpenAI's types have it.
    if request["model"].startswith("claude"):
        request.pop("temperature", None)
    read_all(adapter.validate_python(request))


def requests_of(dialect):
    file = FOLDER / f"{dialect}.jsonl"
    assert file.exists(), f"no requests of {dialect} in {FOLDER}: {sorted(path.name for path in FOLDER.iterdir())}"
    return [json.loads(line) for line in file.read_text().splitlines()]


def broken(request):
    """Variants that the types must refuse, so that a check that accepts everything is noticed."""
    role, member, call = (copy.deepcopy(request) for _ in range(3))
    role["messages"][0]["role"] = "narrator"
    member["no_such_member"] = 1
    call["messages"] = [{"role": "tool", "content": 5}]
    return [role, member, call]


def check_types():
    forbid_unknown_members()
    for dialect, (whole, streamed) in TYPES.items():
        adapters = {False: TypeAdapter(whole), True: TypeAdapter(streamed)}
        requests = requests_of(dialect)
        for request in requests:
            try:
                validate(adapters, request)
            except ValidationError as error:
                sys.exit(f"{dialect}: {error}\n{json.dumps(request)[:4000]}")
        for request in broken(next(request for request in requests if request["messages"])):
            try:
                validate(adapters, request)
            except ValidationError:
                continue
            sys.exit(f"{dialect}: the types accept {json.dumps(request)[:400]}")
        streams = sum(request.get("stream", False) for request in requests)
        print(f"{dialect}: {len(requests)} requests, {streams} of them streamed, have the types of its SDK")


def converted(provider, model, request):
    config = ProviderConfigManager.get_provider_chat_config(model, litellm.LlmProviders(provider))
    optional = {name: request[name] for name in ("tools", "tool_choice") if name in request}
    optional = config.map_openai_params(copy.deepcopy(optional), {}, model, drop_params=False)
    if provider == "gemini":
        # Its public function also needs a client, for cached content.
        return _transform_request_body(
            messages=copy.deepcopy(request["messages"]), model=model, optional_params=optional,
            custom_llm_provider=provider, litellm_params={}, cached_content=None,
        )
    return config.transform_request(
        model=model, messages=copy.deepcopy(request["messages"]), optional_params=optional, litellm_params={}, headers={}
    )


def check_conversions():
    requests = requests_of("OpenAI")
    for provider, model in CONVERSIONS.items():
        for request in requests:
            try:
                converted(provider, model, request)
            except Exception as error:
                sys.exit(f"litellm for {provider}: {type(error).__name__} {error}\n{json.dumps(request)[:4000]}")
        print(f"litellm for {provider}: {len(requests)} requests converted")


logging.disable(logging.WARNING)
print(f"openai {openai.__version__}, anthropic {anthropic.__version__}")
check_types()
check_conversions()
