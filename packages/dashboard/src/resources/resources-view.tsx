import { counted } from '@longwire/recording/shown';
import { Empty } from '../parts/empty.js';
import { filter } from '../state/filter.js';
import { useCatalogue } from '../state/page.js';
import { route } from '../state/route.js';
import { ItemList } from '../tools/item-list.js';
import { Refresh } from '../tools/tools-view.js';
import { READ_KINDS, READ_TITLES, readablesOf, type ReadKind } from './catalogue-items.js';
import { ReadablePanel } from './readable-panel.js';
import { subscriptions, subscriptionOf } from './subscriptions.js';

/** Resources, templates and prompts of all servers. */
export function ResourcesView() {
  const servers = [...useCatalogue().values()];
  // What is subscribed to and not listed is one more item.
  const subscribed = subscriptions.value.length;
  const { item: fits } = filter.value;
  const all = servers.flatMap((server) => READ_KINDS.flatMap((kind) => readablesOf(server, kind)));
  const shown = all.filter(({ kind, server, id, name, description }) =>
    fits({
      server,
      method: kind === 'prompts' ? 'prompts/get' : 'resources/read',
      name: id,
      about: [name, description],
    }),
  );
  const [server, kind, id] = route.value.parts;
  const opened = all.find((one) => one.server === server && one.kind === kind && one.id === id);
  return (
    <div class={`split ${opened === undefined ? '' : 'split-open'}`}>
      <div class="split-list">
        <header class="list-head">
          <h2>{READ_KINDS.map((one) => countOf(shown, one)).join(', ')}</h2>
          {subscribed > 0 && <span class="remark">{counted(subscribed, 'subscription')}</span>}
          <Refresh servers={servers.map(({ name }) => name)} />
        </header>
        {shown.length === 0 && (
          <Empty
            title={
              all.length === 0 ? 'No server has told its resources yet' : 'Nothing fits the filter'
            }
          />
        )}
        {READ_KINDS.map((one) => {
          const own = shown.filter((readable) => readable.kind === one);
          if (own.length === 0) return null;
          return (
            <section key={one} class="kind">
              <h2>{READ_TITLES[one]}</h2>
              <ItemList
                view="resources"
                opened={route.value.parts}
                items={own.map((readable) => ({
                  server: readable.server,
                  path: [one, readable.id],
                  name: readable.name,
                  about: readable.kind === 'prompts' ? readable.description : readable.id,
                  mark: one === 'resources' ? markOf(readable.server, readable.id) : undefined,
                }))}
              />
            </section>
          );
        })}
      </div>
      {opened !== undefined && (
        <ReadablePanel key={`${opened.server}\n${opened.kind}\n${opened.id}`} readable={opened} />
      )}
    </div>
  );
}

function countOf(shown: readonly { readonly kind: ReadKind }[], kind: ReadKind): string {
  const count = shown.filter((one) => one.kind === kind).length;
  return counted(count, kind.slice(0, -1));
}

function markOf(server: string, uri: string): string | undefined {
  const subscription = subscriptionOf(server, uri);
  return subscription && `● ${counted(subscription.updates, 'update')}`;
}
