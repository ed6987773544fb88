import { QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import "./tokens.css";
import "./base.css";
import "./parts.css";
import "./dialogs.css";
import { onSignedOut } from "./lib/api.ts";
import { preferredLanguage, setLanguage } from "./lib/i18n.ts";
import * as kept from "./lib/kept.ts";
import { client, signedOut } from "./lib/queries.ts";
import { App } from "./shell/App.tsx";

// A chunk of an older version is gone: the page of the new version has its own.
addEventListener("vite:preloadError", (event) => {
  event.preventDefault();
  dispatchEvent(new Event("chasqui:new-version"));
});

onSignedOut(signedOut);

const remembered = kept.read("language");
await setLanguage(preferredLanguage(remembered ? [remembered] : navigator.languages));

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>,
  );
}
