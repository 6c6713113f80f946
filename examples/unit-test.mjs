/**
 * A unit test of what a program does with tools: no server, no network. The client is a real one in
 * front of functions.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { LongwireError, connect, textOf } from '@longwire/client';
import { fakeClient, recordTo, replayFrom } from '@longwire/testing';

/**
 * What is tested.
 *
 * @param {import('@longwire/client').ToolSource} source
 */
async function buy(source) {
  try {
    return textOf(await source.callTool('buy', { symbol: 'NVDA', count: 1 }));
  } catch (error) {
    if (error instanceof LongwireError && error.certainty === 'outcome-unknown') return 'unknown';
    throw error;
  }
}

const file = new URL('bought.ndjson', import.meta.url).pathname;
const client = fakeClient(
  {
    tools: {
      buy: ({ symbol }, { onProgress }) => {
        onProgress({ progress: 1, total: 2, message: 'asking' });
        return `bought ${String(symbol)}`;
      },
    },
  },
  { middleware: [recordTo(file)] },
);
client.on('progress', ({ tool, message }) => console.log(`${tool}: ${message}`));
console.log(await buy(client));
assert.deepEqual(client.calls, [
  { tool: 'buy', arguments: { symbol: 'NVDA', count: 1 }, principal: undefined },
]);
await client.close();

// What a real network may do to a call, at once and every time.
const lost = fakeClient({
  tools: {
    buy: () => {
      throw new LongwireError('the connection was lost', {
        code: 'connection-lost',
        certainty: 'outcome-unknown',
      });
    },
  },
});
console.log(`lost in the middle: ${await buy(lost)}`);
await lost.close();

// What a server answered once, from a file.
const recorded = await connect(replayFrom(file));
console.log(`from the recording: ${await buy(recorded)}`);
await recorded.callTool('sell').catch((error) => console.log(error.message));
await recorded.close();
await rm(file);
