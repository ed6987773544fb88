/** A scripted server of language models with chat completions, which takes one key. */

import { createServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

type Question = { model: string; tools?: { function: { name: string } }[] };

async function read(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += piece;
  return text;
}

export class Model {
  /** Models that it lists; any other is unknown. */
  models = ["shop-large", "shop-small"];
  /** Models that were asked, in order. */
  readonly asked: string[] = [];
  /** True: it calls the first tool that is offered. */
  callsTools = true;
  readonly #server: HttpServer;

  private constructor(server: HttpServer) {
    this.#server = server;
  }

  static async start(key: string): Promise<Model> {
    const server = createServer();
    const model = new Model(server);
    server.on("request", async (request, response) => {
      const body = await read(request);
      const answer = (status: number, content: object) => {
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(JSON.stringify(content));
      };
      if (request.headers.authorization !== `Bearer ${key}`) {
        const message = "Incorrect API key provided. You can find your API key in the settings of your account.";
        return answer(401, { error: { message, type: "invalid_request_error", code: "invalid_api_key" } });
      }
      if (request.method === "GET") {
        return answer(200, { object: "list", data: model.models.map((id) => ({ id, object: "model" })) });
      }
      answer(200, model.#complete(JSON.parse(body) as Question));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return model;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  #complete({ model, tools = [] }: Question): object {
    this.asked.push(model);
    const name = this.callsTools ? tools[0]?.function.name : undefined;
    const call = { id: "call_1", type: "function", function: { name, arguments: '{"ready":true}' } };
    const message = name
      ? { role: "assistant", content: null, tool_calls: [call] }
      : { role: "assistant", content: "OK" };
    const choices = [{ index: 0, message, finish_reason: name ? "tool_calls" : "stop" }];
    const usage = { prompt_tokens: 20, completion_tokens: 2, total_tokens: 22 };
    return { id: "chatcmpl-1", object: "chat.completion", created: 1, model, choices, usage };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
