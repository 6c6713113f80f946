import { Empty } from '../parts/empty.js';
import { filter } from '../state/filter.js';
import { now, useServers } from '../state/page.js';
import { ServerCard } from './server-card.js';

/** A card for each server. */
export function Overview() {
  const servers = [...useServers().values()];
  const { server: fits } = filter.value;
  const shown = servers.filter((server) => server.known.removed !== true && fits(server));
  if (servers.length === 0) {
    return <Empty title="No server yet">Servers appear here as soon as one is watched.</Empty>;
  }
  if (shown.length === 0) return <Empty title="No server fits the filter" />;
  const at = now.value;
  return (
    <div class="cards">
      {shown.map((server) => (
        <ServerCard key={server.name} server={server} at={at} />
      ))}
    </div>
  );
}
