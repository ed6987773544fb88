import type { ReactNode } from "react";

const shapes = {
  inbox: <path d="M2 9l2-6h8l2 6v4H2zM2 9h4l1 2h2l1-2h4" />,
  executions: (
    <>
      <path d="M5 2v12" />
      <circle cx="5" cy="4" r="1.6" />
      <circle cx="5" cy="8" r="1.6" />
      <circle cx="5" cy="12" r="1.6" />
      <path d="M9 4h5M9 8h5M9 12h3" />
    </>
  ),
  sandbox: (
    <>
      <rect x="4.5" y="1.5" width="7" height="13" rx="1.6" />
      <path d="M7 12.5h2" />
    </>
  ),
  settings: (
    <>
      <circle cx="8" cy="8" r="2.2" />
      <path d="M8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M12.6 3.4l-1.4 1.4M4.8 11.2l-1.4 1.4" />
    </>
  ),
  person: (
    <>
      <circle cx="8" cy="5" r="2.5" />
      <path d="M3 14c.6-3 2.4-4.5 5-4.5s4.4 1.5 5 4.5" />
    </>
  ),
  back: <path d="M10 3L5 8l5 5" />,
  close: <path d="M4 4l8 8M12 4l-8 8" />,
  search: (
    <>
      <circle cx="7" cy="7" r="4.2" />
      <path d="M10.2 10.2L14 14" />
    </>
  ),
  info: (
    <>
      <circle cx="8" cy="8" r="6.2" />
      <path d="M8 7.2v4M8 4.8v.4" />
    </>
  ),
  check: <path d="M3 8l3 3 7-7" />,
  ticks: <path d="M1.5 8.5l3 3 6-7M7.5 11.2l.5.3 6-7" />,
  clock: (
    <>
      <circle cx="8" cy="8" r="6.2" />
      <path d="M8 4.5V8l2.4 1.6" />
    </>
  ),
  alert: <path d="M8 2.2L14.3 13H1.7zM8 6.4v3M8 11v.4" />,
  attach: (
    <path d="M13 7.5l-5.3 5.3a3.2 3.2 0 0 1-4.5-4.5l5.6-5.6a2.1 2.1 0 0 1 3 3L6.300 11.200a1 1 0 0 1-1.500-1.500L9.700 4.900" />
  ),
  like: (
    <path d="M5 7v6.500H2.500V7zM5 7l3-5c1.200 0 1.800 1 1.500 2.200L9 6.500h3.500c1 0 1.500.9 1.300 1.800l-.9 3.900c-.2.8-.8 1.300-1.600 1.300H5" />
  ),
  file: <path d="M4 1.8h5l3 3v9.4H4zM9 1.8v3h3" />,
  more: (
    <>
      <circle cx="3.5" cy="8" r=".8" />
      <circle cx="8" cy="8" r=".8" />
      <circle cx="12.5" cy="8" r=".8" />
    </>
  ),
  down: <path d="M4.5 6.5L8 10l3.5-3.5" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
      {shapes[name]}
    </svg>
  );
}

/** The mark: a cord with knots. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M3 4h14M6 4v13M10 4v9M14 4v11" />
      <circle cx="6" cy="9" r="1.8" className="open" />
      <circle cx="6" cy="14" r="1.8" />
      <circle cx="10" cy="10" r="1.8" />
      <circle cx="14" cy="8" r="1.8" className="open" />
      <circle cx="14" cy="12.5" r="1.8" />
    </svg>
  );
}
