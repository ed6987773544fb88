import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";

/**
 * A button with a popover. The browser closes it by Escape and by a press elsewhere. Arrow keys move
 * between its buttons, links and choices.
 */
export function Menu({
  label,
  button,
  className = "button bare",
  children,
}: {
  label?: string;
  button: ReactNode;
  className?: string;
  children: ReactNode;
}) {
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    if (
      !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) ||
      (event.target as HTMLElement).tagName === "SELECT"
    )
      return;
    event.preventDefault();
    const items = [...(panel.current?.querySelectorAll<HTMLElement>("button, a, select") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[event.key] ?? 0;
    items.at(next >= items.length ? 0 : next)?.focus();
  };
  return (
    <span className="menu">
      <button type="button" className={className} popoverTarget={id} aria-haspopup="true" aria-label={label}>
        {button}
      </button>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the items bubble to here */}
      <div
        ref={panel}
        id={id}
        popover="auto"
        className="popover"
        onKeyDown={move}
        onToggle={(event) => {
          if (event.newState === "open") panel.current?.querySelector<HTMLElement>("button, a, select")?.focus();
        }}
        onClick={(event) => {
          if ((event.target as HTMLElement).closest("a, button")) panel.current?.hidePopover();
        }}
      >
        {children}
      </div>
    </span>
  );
}
