// A program that opens a channel to the command in its arguments, says which processes there are,
// and exits without closing the channel.
import { StdioChannel } from '../../dist/channels/stdio.js';
import { TrafficCounts } from '../../dist/channels/traffic-counts.js';

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
    onTrouble: () => {},
    onEnd: () => {},
  },
});
await channel.send({ jsonrpc: '2.0', id: 1, method: 'pids' });
