import { counted } from '@longwire/recording/shown';
import { CommandButton } from '../parts/command-button.js';
import { Empty } from '../parts/empty.js';
import { ask } from '../state/api.js';
import { filter } from '../state/filter.js';
import { feed, useCatalogue } from '../state/page.js';
import { route } from '../state/route.js';
import { ItemList, type Item } from './item-list.js';
import { toolFacts } from './tool-facts.js';
import { ToolPanel } from './tool-panel.js';

/** The tools of all servers; one of them with its form. */
export function ToolsView() {
  const servers = [...useCatalogue().values()];
  const { item: fits } = filter.value;
  const tools = servers.flatMap((server) =>
    (server.catalogue.tools ?? []).map((tool) => ({ server: server.name, tool })),
  );
  const shown = tools.flatMap(({ server, tool }): Item[] => {
    const { name, title, description } = toolFacts(tool);
    if (!fits({ server, method: 'tools/call', name, about: [title, description] })) return [];
    return [{ server, path: [name], name, about: title ?? description }];
  });
  const { parts } = route.value;
  const opened = tools.find(
    ({ server, tool }) => server === parts[0] && String(tool['name']) === parts[1],
  );
  return (
    <div class={`split ${opened === undefined ? '' : 'split-open'}`}>
      <div class="split-list">
        <header class="list-head">
          <h2>{counted(shown.length, 'tool')}</h2>
          <Refresh servers={servers.map(({ name }) => name)} />
        </header>
        {shown.length === 0 && (
          <Empty
            title={
              tools.length === 0 ? 'No server has told its tools yet' : 'No tool fits the filter'
            }
          />
        )}
        <ItemList view="tools" items={shown} opened={parts} />
      </div>
      {opened !== undefined && (
        <ToolPanel
          key={`${opened.server}\n${String(opened.tool['name'])}`}
          server={opened.server}
          tool={opened.tool}
        />
      )}
    </div>
  );
}

/** Lists anew what all servers have. */
export function Refresh({ servers }: { servers: readonly string[] }) {
  if (servers.length === 0 || !feed.shows.value.canCall) return null;
  return (
    <CommandButton
      run={() =>
        Promise.all(
          servers.map((name) => ask('POST', `servers/${encodeURIComponent(name)}/refresh`)),
        )
      }
    >
      List anew
    </CommandButton>
  );
}
