import type { Comparison } from '@longwire/recording';
import type { ViewFilter } from '@longwire/recording/shown';

const METHODS = {
  tools: 'tools/call',
  resources: 'resources/read',
  templates: 'resources/read',
  prompts: 'prompts/get',
} as const;

/** What of a comparison fits the filter of the page, by the names of servers, tools and other items. */
export function filtered(
  { gainedServers, lostServers, catalogues, latencies, errors }: Comparison,
  fits: ViewFilter['item'],
): Comparison {
  const isServer = (server: string): boolean =>
    fits({ server, method: 'initialize', name: undefined, about: [] });
  return {
    gainedServers: gainedServers.filter(isServer),
    lostServers: lostServers.filter(isServer),
    catalogues: catalogues
      .map((change) => {
        const { server, kind, gained, lost, changed } = change;
        const isShown = (name: string): boolean =>
          fits({ server, method: METHODS[kind], name, about: [] });
        return {
          ...change,
          gained: gained.filter(isShown),
          lost: lost.filter(isShown),
          changed: changed.filter(({ name }) => isShown(name)),
        };
      })
      .filter(({ gained, lost, changed }) => gained.length + lost.length + changed.length > 0),
    latencies: latencies.filter(({ server, tool }) =>
      tool === undefined
        ? isServer(server)
        : fits({ server, method: 'tools/call', name: tool, about: [] }),
    ),
    errors: errors.filter(({ server, method, tool, code }) =>
      fits({ server, method, name: tool, about: [code] }),
    ),
  };
}
