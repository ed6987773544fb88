import { t } from "../lib/i18n.ts";

/** Longest text that is shown; the browser stays responsive with larger values. */
const LONGEST = 256 * 1024;

/** A value as text; never as markup. */
export function Json({ value, name = "value.json" }: { value: unknown; name?: string }) {
  return <Text text={JSON.stringify(value, null, 2) ?? ""} name={name} />;
}

/** A long text, exactly as it is. Of one above the limit the first part, and a download. */
export function Text({ text, name }: { text: string; name: string }) {
  const isCut = text.length > LONGEST;
  const download = () => {
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must take the keyboard */}
      <pre className="code" tabIndex={0} dir="ltr">
        {isCut ? text.slice(0, LONGEST) : text}
      </pre>
      {isCut && (
        <p className="small quiet">
          {t("trace.jsonCut")}{" "}
          <button type="button" className="link" onClick={download}>
            {t("action.download")}
          </button>
        </p>
      )}
    </>
  );
}
