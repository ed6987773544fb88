import { content, type Entry, type InboxMessage, type Me, once, v1 } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import { call, client, markRead, ofConversation, useWrite } from "../../lib/queries.ts";
import { failed, toast } from "../../ui/Toast.tsx";
import { nameOf } from "./words.ts";

/** Writes in a conversation. Each says what it did. */
export function useActions(entry: Entry, me: Me) {
  const id = entry.id;
  const stale = () => ofConversation(id);
  const path = { whatsapp_conversation_id: id };

  const assign = useWrite(async (user: string, key: string) => {
    const { assignment } = entry;
    if (assignment) {
      const body = { conversation_assignment: { user_id: user } };
      const params = { path: { ...path, id: assignment.id } };
      return content(
        v1.PATCH("/api/v1/whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments/{id}", {
          params,
          body,
        }),
      );
    }
    const body = { conversation_assignment: { user_id: user } };
    const params = { path, ...once(key) };
    return content(
      v1.POST("/api/v1/whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments", { params, body }),
    );
  }, stale);

  const release = useWrite(async (assignment: string) => {
    const params = { path: { ...path, id: assignment } };
    const body = { conversation_assignment: { active: false } };
    return content(
      v1.PATCH("/api/v1/whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments/{id}", {
        params,
        body,
      }),
    );
  }, stale);

  const resume = useWrite(async (execution: { agent_id: string; id: string }, key: string) => {
    const params = { path: { agent_id: execution.agent_id, execution_id: execution.id }, ...once(key) };
    return content(v1.POST("/api/v1/agents/{agent_id}/executions/{execution_id}/resume", { params, body: {} }));
  }, stale);

  const setStatus = useWrite(async (status: "active" | "ended") => {
    const params = { path: { conversation_id: id } };
    const body = { whatsapp_conversation: { status } };
    return content(v1.PATCH("/api/v1/whatsapp_conversations/{conversation_id}", { params, body }));
  }, stale);

  const name = nameOf(entry);
  const said = (text: string) => ({ onSuccess: () => toast(text), onError: failed });
  return {
    /** True until the answer about who has the conversation arrives. */
    isTaking: assign.isPending,
    isBusy: assign.isPending || release.isPending || resume.isPending || setStatus.isPending,
    takeOver: (then?: () => void) =>
      assign.mutate(call(me.id), {
        onSuccess: () => {
          toast(t("done.takenOver", { name }));
          then?.();
        },
        onError: failed,
      }),
    assignTo: (user: string, colleague: string) =>
      assign.mutate(call(user), said(t("done.assigned", { name, colleague }))),
    giveBack: () => {
      if (entry.assignment) release.mutate(call(entry.assignment.id), said(t("done.givenBack", { name })));
      else if (entry.execution) resume.mutate(call(entry.execution), said(t("done.givenBack", { name })));
    },
    /** Unread for this person, up to the message before the latest. */
    unread: async () => {
      const pages = client.getQueryData<{ pages: { data: InboxMessage[] }[] }>(["thread", id])?.pages ?? [];
      const last = pages.flatMap((page) => page.data).filter((message) => message.direction === "inbound");
      const seq = Math.max(0, ...last.map((message) => message.seq)) - 1;
      await markRead(id, Math.max(0, seq));
      await client.invalidateQueries({ queryKey: ["inbox"] });
    },
    close: () => setStatus.mutate(call("ended" as const), said(t("done.closed", { name }))),
    reopen: () => setStatus.mutate(call("active" as const), said(t("done.reopened", { name }))),
  };
}

export type Actions = ReturnType<typeof useActions>;
