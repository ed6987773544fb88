import { QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { app, content, currentProject, type Me, newKey, Refusal, type ServerState, type View, v1 } from "./api.ts";
import type { FeedState, Hint } from "./feed.ts";
import { t } from "./i18n.ts";

let feedState: FeedState = "connecting";
export function noteFeedState(state: FeedState): void {
  feedState = state;
}

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && error instanceof Refusal && error.isUnanswered,
      staleTime: 5_000,
      // What a hint has missed is late by this time at most.
      refetchInterval: () => (feedState === "live" ? 60_000 : 15_000),
    },
  },
});

/** Names of queries that an event makes stale. */
export function staleAfter(hint: Hint): string[][] {
  const conversation = hint.conversation_id ?? (hint.topic.startsWith("conversation.") ? hint.object_id : undefined);
  const entry = conversation ? [["entry", conversation]] : [];
  const thread = conversation ? [["thread", conversation]] : [];
  const [kind] = hint.topic.split(".");
  if (kind === "message") return [["inbox"], ["counts"], ...entry, ...thread];
  if (kind === "conversation") return [["inbox"], ["counts"], ...entry];
  if (kind === "execution") {
    const links = conversation ? [["links", conversation]] : [];
    return [
      ["inbox"],
      ["counts"],
      ["executions"],
      ["execution", hint.object_id],
      ["events", hint.object_id],
      ...entry,
      ...links,
    ];
  }
  if (kind === "note") return [["notes"]];
  if (kind === "contact") return [["inbox"], ...entry];
  if (kind === "sandbox_session") return [["sandbox"]];
  if (kind === "agent") return [["agents"]];
  return [];
}

/** State of the server before a sign-in; read once. */
export function useServerState() {
  return useQuery({
    queryKey: ["state"],
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
    queryFn: async () => (await content(app.GET("/app/api/state"))).data,
  });
}

/** Notes who signed in; what the person before has read is forgotten. */
export function signedIn(me: Me): void {
  const state = client.getQueryData<ServerState>(["state"]);
  client.clear();
  if (state) client.setQueryData(["state"], { ...state, signed_in: true });
  client.setQueryData(["me"], me);
}

export function signedOut(): void {
  client.setQueryData<ServerState>(["state"], (state) => state && { ...state, signed_in: false });
  client.setQueryData(["me"], null);
}

/** The signed-in person; null without a session. */
export function useMe() {
  return useQuery({
    queryKey: ["me"],
    queryFn: async () => {
      if (client.getQueryData<ServerState>(["state"])?.signed_in === false) return null;
      try {
        return (await content(app.GET("/app/api/me"))).data;
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) return null;
        throw error;
      }
    },
  });
}

/** What a list of the inbox is limited to: a text, a contact, and the config of a number. */
export type InboxFilter = { search?: string; contact?: string; config?: string };

export function useInbox(view: View, { search, contact, config }: InboxFilter, enabled = true) {
  return useInfiniteQuery({
    queryKey: ["inbox", view, search, contact, config],
    enabled,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      content(
        v1.GET("/api/v1/inbox", {
          params: {
            query: {
              view,
              search: search || undefined,
              contact: contact || undefined,
              config: config || undefined,
              before: pageParam,
            },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.meta.before ?? undefined,
    placeholderData: (shown) => shown,
  });
}

export function useCounts() {
  return useQuery({ queryKey: ["counts"], queryFn: async () => (await content(v1.GET("/api/v1/inbox/counts"))).data });
}

export function useEntry(id: string) {
  return useQuery({
    queryKey: ["entry", id],
    queryFn: async () =>
      (await content(v1.GET("/api/v1/inbox/{conversation_id}", { params: { path: { conversation_id: id } } }))).data,
  });
}

/** The project with its settings. */
export function useProject() {
  return useQuery({
    queryKey: ["project"],
    queryFn: async () => {
      const { data } = await content(v1.GET("/api/v1/projects"));
      const found = data.find(({ id }) => id === currentProject());
      if (!found) throw new Refusal(404, "not_found", t("notFound.text"));
      return found;
    },
  });
}

export function useThread(id: string) {
  return useInfiniteQuery({
    queryKey: ["thread", id],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam }) =>
      content(
        v1.GET("/api/v1/inbox/{conversation_id}/messages", {
          params: { path: { conversation_id: id }, query: { before: pageParam } },
        }),
      ),
    getNextPageParam: (page) => (page.meta.before ? Number(page.meta.before) : undefined),
  });
}

export function useNotes(contact: string | undefined) {
  return useQuery({
    queryKey: ["notes", contact],
    enabled: contact !== undefined,
    queryFn: async () =>
      (
        await content(
          v1.GET("/api/v1/whatsapp_contacts/{identifier}/notes", {
            params: { path: { identifier: contact ?? "" }, query: { per_page: 100 } },
          }),
        )
      ).data,
  });
}

export function useLinkedExecutions(id: string) {
  return useQuery({
    queryKey: ["links", id],
    queryFn: async () =>
      (
        await content(
          v1.GET("/api/v1/whatsapp_conversations/{conversation_id}/agent_executions", {
            params: { path: { conversation_id: id }, query: { per_page: 10 } },
          }),
        )
      ).data,
  });
}

export function useSandboxSessions() {
  return useQuery({
    queryKey: ["sandbox"],
    queryFn: async () =>
      (await content(v1.GET("/api/v1/sandbox_sessions", { params: { query: { per_page: 50 } } }))).data,
  });
}

export function useMembers() {
  return useQuery({
    queryKey: ["members"],
    staleTime: 60_000,
    queryFn: async () => (await content(v1.GET("/api/v1/members", { params: { query: { per_page: 100 } } }))).data,
  });
}

export function useAgents(enabled = true) {
  return useQuery({
    queryKey: ["agents"],
    enabled,
    queryFn: async () => (await content(v1.GET("/api/v1/agents", { params: { query: { per_page: 100 } } }))).data,
  });
}

/** Sets the place up to which this person has read. */
export function markRead(conversation: string, seq: number) {
  const params = { path: { conversation_id: conversation } };
  return content(v1.PUT("/api/v1/inbox/{conversation_id}/read", { params, body: { seq } }));
}

/** A write that makes the named queries stale. Its key stays the same until an answer arrives. */
export function useWrite<Input, Output>(
  write: (input: Input, key: string) => Promise<Output>,
  stale: (input: Input) => string[][],
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (call: { input: Input; key: string }) => write(call.input, call.key),
    retry: (failures, error) => failures < 4 && error instanceof Refusal && error.isUnanswered,
    retryDelay: (failures) => Math.min(1_000 * 2 ** failures, 8_000),
    onSettled: (_data, _error, call) =>
      Promise.all(stale(call.input).map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
}

export function call<Input>(input: Input): { input: Input; key: string } {
  return { input, key: newKey() };
}

/** What changes after a write in a conversation. */
export function ofConversation(id: string): string[][] {
  return [["inbox"], ["counts"], ["entry", id], ["thread", id], ["links", id]];
}
