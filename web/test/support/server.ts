/** The real program with its emulated WhatsApp, on free ports and in a temporary folder. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const PROGRAM = process.env.CHASQUI_PROGRAM ?? join(import.meta.dirname, "../../../target/debug/chasqui");
export const SANDBOX_NUMBER = "100000000000001";
/** A second number of the emulator, which a project can connect. */
export const OWN_NUMBER = "100000000000002";
export const ACCOUNT = "200000000000001";
export const TOKEN = "EAAEMULATORTOKEN";
const START = 60_000;

/** Waits until a value is there, or fails. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>, ms = 10_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await pause(50);
  }
}

export type ChatMessage = {
  id: string;
  direction: "in" | "out";
  type: string;
  content?: { body?: string; rendered?: { body?: string }; caption?: string; button_reply?: { title?: string } };
  reply_to: string | null;
  reactions: { emoji: string }[];
};

export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), "chasqui-web-"));
  url = "";
  apiKey = "";
  /** One-time link of the operator. */
  link = "";
  emulator = "";
  phoneNumber = "";
  code = "";
  #process: ChildProcess | undefined;
  #log = "";

  /** More settings, by their variables; without any the rehearsal model answers. */
  settings: Record<string, string> = { CHASQUI_LLM_PROVIDER: "Rehearsal" };

  static async start(settings?: Record<string, string>): Promise<Server> {
    const server = new Server();
    if (settings) server.settings = settings;
    await server.run("127.0.0.1:0");
    return server;
  }

  /** Starts the program; again at the same address after `kill`. */
  async run(listen: string): Promise<void> {
    const emulator = this.emulator ? new URL(this.emulator).host : "127.0.0.1:0";
    const places = ["--listen", listen, "--emulator-listen", emulator, "--orders-listen", "127.0.0.1:0"];
    let shown = "";
    const child = spawn(PROGRAM, ["dev", "--data-dir", this.folder, ...places], {
      env: { PATH: process.env.PATH, CHASQUI_LOG: "warn", ...this.settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    child.stdout.on("data", (text) => (shown += text));
    child.stderr.on("data", (text) => (this.#log += text));
    const value = (name: string) => new RegExp(`^  ${name} +(\\S+)`, "m").exec(shown)?.[1] ?? "";
    await until(
      "start of the program",
      async () => {
        if (child.exitCode !== null) throw new Error(`the program ended: ${this.#log}`);
        return shown.includes("In another terminal");
      },
      START,
    );
    this.url = value("API").replace(/\/api\/v1$/, "");
    this.apiKey = value("API key");
    this.link = value("Sign-in");
    this.emulator = value("Emulator");
    const sandbox = /^ {2}Sandbox +(.*)$/m.exec(shown)?.[1] ?? "";
    this.code = /code (\w+)/.exec(sandbox)?.[1] ?? "";
    this.phoneNumber = /\+?\d{8,}/.exec(sandbox)?.[0] ?? this.phoneNumber;
  }

  /** Ends the program at once, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Another command of the program, in the same data folder. */
  async command(...words: string[]): Promise<string> {
    const env = { PATH: process.env.PATH, CHASQUI_DATA_DIR: this.folder, CHASQUI_LISTEN: new URL(this.url).host };
    return (await promisify(execFile)(PROGRAM, words, { env })).stdout;
  }

  /** A call of the API with the key of the demo project. */
  async api<T>(path: string, body?: object, method = body ? "POST" : "GET"): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { "X-API-Key": this.apiKey, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Connects {@link OWN_NUMBER}, as a customer's. Returns the id of the config. */
  async connectNumber(): Promise<string> {
    type Made = { data: { id: string } };
    const customer = (
      await this.api<Made>("customers", {
        customer: { name: "Clinic", external_customer_id: "clinic" },
      })
    ).data.id;
    const config = {
      name: "Clinic line",
      phone_number_id: OWN_NUMBER,
      business_account_id: ACCOUNT,
      access_token: TOKEN,
      webhook_verify_token: "check-me",
    };
    const made = await this.api<Made>(`customers/${customer}/whatsapp_configs`, { whatsapp_config: config });
    return made.data.id;
  }

  /** A call of the emulator's control API. */
  async control(path: string, body?: object, method = body ? "POST" : "GET"): Promise<unknown> {
    const answer = await fetch(`${this.emulator}/_emulator/v1/${path}`, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` },
      body: body ? JSON.stringify(body) : undefined,
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** A customer's message to the sandbox number. */
  async says(text: string, from = this.phoneNumber, number = SANDBOX_NUMBER): Promise<void> {
    await this.control("inbound", { phone_number_id: number, from, text });
  }

  /** Sends the code, so that the phone is connected to the agent. */
  async connect(): Promise<void> {
    await this.says(this.code);
    await until("answer to the code", async () => (await this.answers()).length > 0);
  }

  /** Messages of the phone's chat with a number, oldest first. */
  async chat(from = this.phoneNumber, number = SANDBOX_NUMBER): Promise<ChatMessage[]> {
    const chat = (await this.control(`chats/${number}/${from.replace(/\D/g, "")}`)) as { messages: ChatMessage[] };
    return chat.messages;
  }

  /** Texts that the phone has received, oldest first. */
  async answers(from = this.phoneNumber, number = SANDBOX_NUMBER): Promise<string[]> {
    const received = (await this.chat(from, number)).filter(({ direction }) => direction === "out");
    return received.map(({ content }) => content?.rendered?.body ?? content?.body ?? "");
  }
}
