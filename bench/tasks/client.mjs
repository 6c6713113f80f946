/** The client of `tasks`: many calls at once, each with the time from its end to its result. */
import { connect } from '@longwire/client';

const { url, era } = JSON.parse(process.argv[2] ?? '{}');
const client = await connect(url, { protocol: era, transport: 'streamable-http' });
await client.listTools();

/** @param {{ tool: string, ms: number, calls: number }} wanted */
async function sample({ tool, ms, calls }) {
  const before = process.cpuUsage();
  const lateMs = await Promise.all(
    Array.from({ length: calls }, async () => {
      const { content } = await client.callTool(tool, { ms });
      const now = performance.timeOrigin + performance.now();
      const [first] = content;
      return first?.type === 'text' ? now - Number(first.text) : Number.NaN;
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1_000, lateMs };
}

process.on('disconnect', () => process.exit());
process.on('message', (/** @type {any} */ wanted) => {
  sample(wanted).then(
    (told) => process.send?.(told),
    (error) => process.send?.({ error: String(error?.stack ?? error) }),
  );
});
