import { type ComponentType, lazy, useState } from "react";

type Chunk<Props> = { loaded?: ComponentType<Props>; late: ComponentType<Props> };

/**
 * A page with a chunk of its own, which `request` loads ahead. With its chunk here it renders at once; React
 * shows the fallback of a page that suspends for at least 300 ms.
 */
export function page<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>) {
  const request = async () => {
    const module = await load();
    chunk.loaded = module.default;
    return module;
  };
  const chunk: Chunk<Props> = { late: lazy(request) as unknown as ComponentType<Props> };
  const shown = (props: Props) => <OfChunk chunk={chunk} props={props} />;
  return Object.assign(shown, { request });
}

function OfChunk<Props extends object>({ chunk, props }: { chunk: Chunk<Props>; props: Props }) {
  // Another component in its place would lose what it holds.
  const [Shown] = useState<ComponentType<Props>>(() => chunk.loaded ?? chunk.late);
  return <Shown {...props} />;
}
