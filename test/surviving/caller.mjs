/**
 * A program that has something written, and takes it up again when it was killed: the id of the task is in
 * a file from the moment it is known. Without one it does not call again, because the tool must not run
 * twice. Argument: what is read below, as JSON. Says what it came to.
 */
import { createClient } from '@longwire/client';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** @type {{ target: string, options: object, handle: string, begun: string, args: object, wantsTask: boolean }} */
const { target, options, handle, begun, args, wantsTask } = JSON.parse(process.argv[2] ?? '');

/** @param {object} message */
const say = (message) => process.send?.(message);
const client = createClient(target, { ...options, name: 'writer' });
client.on('error', () => {});
let progress = 0;
/** @type {import('@longwire/client').CallToolOptions} */
const call = {
  timeoutMs: 30_000,
  deadlineMs: 60_000,
  onProgress: (made) => {
    progress = made.progress;
  },
};
/** Whole, or not at all: whoever sees it may kill this process at once. @param {{ taskId: string }} task */
const onTask = ({ taskId }) => {
  writeFileSync(`${handle}.new`, taskId);
  renameSync(`${handle}.new`, handle);
};

/** @returns {Promise<import('@longwire/client').CallToolResult | undefined>} */
async function written() {
  if (existsSync(handle)) return client.task(readFileSync(handle, 'utf8')).result(call);
  if (existsSync(begun)) return undefined;
  writeFileSync(begun, '');
  return client.callTool('write', args, { ...call, ...(wantsTask && { onTask }) });
}

try {
  const result = await written();
  if (result === undefined) say({ is: 'not known' });
  else {
    const [content] = result.content;
    const text = content?.type === 'text' ? content.text : '';
    say({ is: 'result', text, progress });
  }
} catch (error) {
  const { code, certainty, message } = /** @type {import('@longwire/client').LongwireError} */ (
    error
  );
  say({ is: 'error', code, certainty, message });
}
await client.close();
process.disconnect?.();
