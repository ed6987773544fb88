import { Component, type ReactNode } from "react";
import { t } from "../lib/i18n.ts";

type Props = { children: ReactNode };

/** Replaces a part of the page that failed; texts that were typed are kept and come back. */
export class Boundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main className="alone">
        <h1>{t("error.page")}</h1>
        <p>{t("error.pageKept")}</p>
        <button type="button" className="button primary" onClick={() => location.reload()}>
          {t("action.reload")}
        </button>
      </main>
    );
  }
}
