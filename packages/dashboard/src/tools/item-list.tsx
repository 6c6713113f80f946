import { hrefOf, type ViewName } from '../state/route.js';
import { Line } from '../parts/plain-text.js';

/** Something that a server has: a tool, a resource, a prompt. */
export interface Item {
  readonly server: string;
  /** What leads to it in the address of the page, after the server. */
  readonly path: readonly string[];
  readonly name: string;
  readonly about: string;
  /** What is special about it now, in few words. */
  readonly mark?: string | undefined;
}

/** Items of one kind that are listed; the filter finds the others. */
const MAX_SHOWN = 500;

/** What servers have, by server, as links. */
export function ItemList({
  view,
  items,
  opened,
}: {
  view: ViewName;
  items: readonly Item[];
  opened: readonly string[];
}) {
  const servers = new Map<string, Item[]>();
  for (const item of items.slice(0, MAX_SHOWN)) {
    servers.set(item.server, [...(servers.get(item.server) ?? []), item]);
  }
  return (
    <>
      {[...servers].map(([server, own]) => (
        <section key={server} class="items">
          <h3>
            <Line text={server} maxLength={60} />
          </h3>
          <ul>
            {own.map(({ path, name, about, mark }) => (
              <li key={path.join('/')}>
                <a
                  href={hrefOf(view, server, ...path)}
                  aria-current={
                    [server, ...path].join('\n') === opened.join('\n') ? 'true' : undefined
                  }
                >
                  <strong>
                    <Line text={name} maxLength={100} />
                  </strong>
                  <span class="remark">
                    <Line text={about} maxLength={120} />
                  </span>
                  {mark !== undefined && <span class="item-mark tone-busy">{mark}</span>}
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
      {items.length > MAX_SHOWN && (
        <p class="remark">
          {MAX_SHOWN} of {items.length} are shown. Filter to see others.
        </p>
      )}
    </>
  );
}
