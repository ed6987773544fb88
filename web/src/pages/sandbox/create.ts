import { content, once, v1 } from "../../lib/api.ts";
import { useWrite } from "../../lib/queries.ts";

type NewSession = { phone_number: string; agent_id: string };

/** Creates a session; one of the same phone ends. */
export function useCreate() {
  return useWrite(
    (session: NewSession, key: string) =>
      content(v1.POST("/api/v1/sandbox_sessions", { params: once(key), body: { whatsapp_sandbox_session: session } })),
    () => [["sandbox"]],
  );
}
