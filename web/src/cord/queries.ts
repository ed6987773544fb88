import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { content, type ExecutionStatus, Refusal, v1 } from "../lib/api.ts";

export type ExecutionFilter = { status?: ExecutionStatus; agent?: string; contact?: string; snapshot?: string };

export function useExecutions(filter: ExecutionFilter, enabled = true) {
  return useInfiniteQuery({
    queryKey: ["executions", filter],
    enabled,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      content(
        v1.GET("/api/v1/executions", {
          params: { query: { ...filter, before: pageParam } },
        }),
      ),
    getNextPageParam: (page) => page.meta.before ?? undefined,
    placeholderData: (shown) => shown,
  });
}

/** An execution by its id alone: the address of a trace does not name the agent. */
export function useExecution(id: string) {
  return useQuery({
    queryKey: ["execution", id],
    queryFn: async () => {
      const agents = (await content(v1.GET("/api/v1/agents", { params: { query: { per_page: 100 } } }))).data;
      for (const agent of agents) {
        try {
          const params = { path: { agent_id: agent.id, execution_id: id } };
          const found = (await content(v1.GET("/api/v1/agents/{agent_id}/executions/{execution_id}", { params }))).data;
          return { ...found, agent_name: agent.name };
        } catch (error) {
          if (!(error instanceof Refusal) || error.status !== 404) throw error;
        }
      }
      throw new Refusal(404, "not_found", "");
    },
  });
}

/** One step with its model request and the result of its effect; read when it is opened. */
export function useStep(execution: string, step: number | undefined, isOpen: boolean) {
  return useQuery({
    queryKey: ["step", execution, step],
    enabled: isOpen && step !== undefined,
    refetchInterval: false,
    staleTime: 5_000,
    queryFn: async () => {
      const params = { path: { execution_id: execution, step_no: step ?? 0 } };
      return (await content(v1.GET("/api/v1/executions/{execution_id}/steps/{step_no}", { params }))).data;
    },
  });
}
