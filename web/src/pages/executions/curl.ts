type Data = Record<string, unknown>;

/** The request as a command of a shell. Secrets stay names. */
export function curlOf(request: Data): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const headers = Array.isArray(request.headers) ? (request.headers as [string, string][]) : [];
  const parts = ["curl", "-X", String(request.method ?? "GET"), quoted(String(request.url ?? ""))];
  for (const [name, value] of headers) parts.push("-H", quoted(`${name}: ${value}`));
  if (request.body != null) {
    if (!headers.some(([name]) => name.toLowerCase() === "content-type")) {
      parts.push("-H", quoted("Content-Type: application/json"));
    }
    parts.push("-d", quoted(JSON.stringify(request.body)));
  }
  return parts.join(" ");
}
