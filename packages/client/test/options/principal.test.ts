import { describe, expect, it } from 'vitest';
import { createClient, type CallToolOptions } from '../../src/index.ts';
import { createGroup } from '../../src/group/index.ts';
import { createPool } from '../../src/pool/index.ts';

const nowhere = 'http://127.0.0.1:9/mcp';

describe('the option principal of a call', () => {
  it.each([
    ['ann', "principal: not an object; write principal: { id: 'its name' }"],
    [7, 'principal: not an object'],
    [{}, 'principal.id: is missing: the name of a user'],
    [{ id: 'ann', tokn: 'hush' }, 'principal.tokn: no such option; there are id, headers, token'],
  ])('is refused in its own words: %j', async (principal, message) => {
    const options = { principal } as unknown as CallToolOptions;
    await using client = createClient(nowhere);
    await using pool = createPool(nowhere);
    await using group = createGroup({ a: nowhere }, { lazy: true });
    for (const source of [client, pool, group, client.as('ann'), group.as('ann')]) {
      await expect(async () => source.callTool('echo', {}, options)).rejects.toThrow(message);
    }
  });
});
