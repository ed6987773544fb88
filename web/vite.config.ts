import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Server that the development server passes API requests to. */
const api = process.env.CHASQUI_URL ?? "http://127.0.0.1:4000";

export default defineConfig(({ command }) => ({
  // Relative in the bundle: `<base href>` says at serve time where the page is.
  base: command === "serve" ? "/app/" : "./",
  plugins: [react()],
  build: {
    outDir: "../crates/server/assets/app",
    emptyOutDir: true,
    target: ["chrome125", "firefox128", "safari18"],
    cssTarget: ["chrome125", "firefox128", "safari18"],
    // The policy allows no `data:` fonts and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    port: 4010,
    proxy: { "/app/api": { target: api }, "/api": { target: api }, "/media": { target: api } },
  },
}));
