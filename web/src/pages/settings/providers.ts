import { useQuery } from "@tanstack/react-query";
import {
  content,
  type ModelProvider,
  type ModelProviderChange,
  type NewModelProvider,
  once,
  Refusal,
  v1,
} from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import { client, useWrite } from "../../lib/queries.ts";
import { toast } from "../../ui/Toast.tsx";

export type Kind = ModelProvider["kind"];

/** Names of products; those of servers without a product are translated. */
const NAMES: Record<Exclude<Kind, "OpenAICompatible">, string> = {
  OpenAI: "OpenAI",
  Anthropic: "Anthropic",
  Google: "Google Gemini",
  AzureOpenAI: "Azure OpenAI",
  OpenRouter: "OpenRouter",
  Mistral: "Mistral",
  DeepSeek: "DeepSeek",
  Groq: "Groq",
};

export const KINDS = [...Object.keys(NAMES), "OpenAICompatible"] as Kind[];

export function kindName(kind: Kind): string {
  return kind === "OpenAICompatible" ? t("models.compatible") : NAMES[kind];
}

/** True for a protocol that many servers speak, none of which is the usual one. */
export function needsAddress(kind: Kind): boolean {
  return kind === "OpenAICompatible" || kind === "AzureOpenAI";
}

const STALE = [["model_providers"]];

/** Lists models again; no form waits for it, because providers may take seconds. */
function listAgain(): void {
  void client.invalidateQueries({ queryKey: ["models"] });
}

export function useProviders() {
  return useQuery({
    queryKey: ["model_providers"],
    queryFn: async () =>
      (await content(v1.GET("/api/v1/model_providers", { params: { query: { per_page: 100 } } }))).data,
  });
}

/** Models of all providers. The project's are asked each time, so only when this page opens or after a change. */
export function useModels() {
  return useQuery({
    queryKey: ["models"],
    staleTime: 60_000,
    refetchInterval: false,
    refetchOnWindowFocus: false,
    queryFn: async () => (await content(v1.GET("/api/v1/models"))).data,
  });
}

export type Saved = { id: string; fields: ModelProviderChange } | { id: undefined; fields: NewModelProvider };

export function useSave() {
  return useWrite(
    async (saved: Saved, key: string) => {
      const { data } = await (saved.id === undefined
        ? content(v1.POST("/api/v1/model_providers", { params: once(key), body: { model_provider: saved.fields } }))
        : content(
            v1.PATCH("/api/v1/model_providers/{id}", {
              params: { path: { id: saved.id } },
              body: { model_provider: saved.fields },
            }),
          ));
      toast(t("models.saved", { name: data.name }));
      listAgain();
    },
    () => STALE,
  );
}

export function useDelete() {
  return useWrite(
    async ({ id, name }: ModelProvider) => {
      try {
        await content(v1.DELETE("/api/v1/model_providers/{id}", { params: { path: { id } } }));
      } catch (error) {
        // It is gone, perhaps by a request whose answer was lost.
        if (!(error instanceof Refusal && error.status === 404)) throw error;
      }
      // Its row, which sent the request, is about to go.
      toast(t("models.deleted", { name }));
      listAgain();
    },
    () => STALE,
  );
}

export function useCheck() {
  return useWrite(
    async ({ id }: ModelProvider, key: string) =>
      (await content(v1.POST("/api/v1/model_providers/{id}/check", { params: { path: { id }, ...once(key) } }))).data,
    () => [],
  );
}
