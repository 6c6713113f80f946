// A program that opens a channel to the command in its arguments, prints the ids of all processes,
// and exits without closing the channel.
import { importSource } from '../../../../test/support/import-source.mjs';

const sources = 'packages/client/src';
const { StdioChannel } = await importSource(`${sources}/channels/stdio/channel.ts`);
const { TrafficCounts } = await importSource(`${sources}/http/traffic-counts.ts`);

const [command, ...args] = process.argv.slice(2);
const channel = await StdioChannel.open({
  command,
  args,
  maxEventBytes: 1_000_000,
  counts: new TrafficCounts(),
  handlers: {
    onMessage: ({ result }) => {
      process.stdout.write(JSON.stringify([channel.pid, ...result.pids]));
      process.exit();
    },
    onError: () => {},
    onEnd: () => {},
  },
});
await channel.send({ jsonrpc: '2.0', id: 1, method: 'pids' });
