import { connect, createClient, textOf } from '@longwire/client';
import { bearer } from '@longwire/client/middleware';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { everythingCommand } from '../../../test/support/peers.ts';
import { removeFolder } from '../../../test/support/remove-folder.ts';
import { startStreamable } from '../../../test/support/streamable-fixture.ts';
import { fakeClient, recordTo, replayFrom } from '../src/index.ts';

expectNothingLeftOpen();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longwire-recordings-'));
});
afterAll(() => removeFolder(folder));

describe('a recording', () => {
  it('of a real server answers as that did', async () => {
    const file = join(folder, 'new folder', 'everything.ndjson');
    const seen: unknown[] = [];
    const use = async (client: Awaited<ReturnType<typeof connect>>): Promise<unknown[]> => [
      client.server?.name,
      await client.listTools(),
      (await client.listResources()).length,
      await client.callTool('echo', { message: 'hi' }),
      await client.callTool('get-structured-content', { location: 'Chicago' }),
      await client.callTool(
        'trigger-long-running-operation',
        { duration: 0.2, steps: 2 },
        { onProgress: (progress) => seen.push(progress) },
      ),
      await client.getPrompt('simple-prompt'),
    ];
    let real: unknown[];
    {
      await using client = await connect(everythingCommand(), { middleware: [recordTo(file)] });
      real = await use(client);
    }
    await using client = await connect(replayFrom(file));
    expect(await use(client)).toEqual(real);
    expect(seen).toHaveLength(4);
    expect(seen.slice(2)).toEqual(seen.slice(0, 2));
  });

  it('answers in order, and the last answer again', async () => {
    const file = join(folder, 'order.ndjson');
    let count = 0;
    {
      await using client = fakeClient(
        { tools: { next: () => String(++count) } },
        { middleware: [recordTo(file)] },
      );
      await client.callTool('next');
      await client.callTool('next');
    }
    await using client = createClient(replayFrom(file));
    const texts: string[] = [];
    for (let call = 0; call < 3; call++) texts.push(textOf(await client.callTool('next')));
    expect(texts).toEqual(['1', '2', '2']);
  });

  it('says what it has where a call was not recorded', async () => {
    const file = join(folder, 'missing.ndjson');
    {
      await using client = fakeClient(
        { tools: { echo: () => 'x', add: () => 'y' } },
        { middleware: [recordTo(file)] },
      );
      await client.callTool('echo', { message: 'one' });
      await client.callTool('echo', { message: 'two' });
      await client.callTool('add', { a: 1 });
    }
    await using client = createClient(replayFrom(file));
    await expect(client.callTool('echo', { message: 'three' })).rejects.toThrow(
      'the recording has no such call: tools/call echo {"message":"three"}; ' +
        'it has tools/call echo {"message":"one"}, tools/call echo {"message":"two"}',
    );
    await expect(client.callTool('sub')).rejects.toThrow(
      /no such call: tools\/call sub \{\}; it has tools\/call echo .*, tools\/call add \{"a":1\}$/,
    );
  });

  it('has no credential in it', async () => {
    const file = join(folder, 'secrets.ndjson');
    const token = 'tok-5d1f8e0c-very-secret';
    await using server = await startStreamable({
      requiredHeaders: { authorization: `Bearer ${token}` },
    });
    {
      await using client = await connect(server.url, {
        middleware: [recordTo(file), bearer(() => token)],
      });
      const result = await client.callTool('echo', { message: token });
      expect(JSON.stringify(result)).toContain(token);
    }
    const recorded = await readFile(file, 'utf8');
    expect(recorded).toContain('"name":"echo"');
    expect(recorded).not.toContain(token);
  });

  it('is written over, and nothing else is', async () => {
    const file = join(folder, 'again.ndjson');
    await writeFile(file, '');
    recordTo(file);
    recordTo(file);
    const other = join(folder, 'notes.txt');
    await writeFile(other, 'not to be lost');
    expect(() => recordTo(other)).toThrow(/^recordTo: .*notes\.txt: not a recording/);
    expect(await readFile(other, 'utf8')).toBe('not to be lost');
  });

  it('that is missing, empty, or of many servers is named', async () => {
    const missing = join(folder, 'no.ndjson');
    expect(() => replayFrom(missing)).toThrow(
      `there is no recording ${missing}: make it by recordTo`,
    );
    const empty = join(folder, 'empty.ndjson');
    recordTo(empty);
    expect(() => replayFrom(empty)).toThrow('replayFrom: nothing is recorded in');
    const two = join(folder, 'two.ndjson');
    const middleware = [recordTo(two)];
    for (const name of ['a', 'b']) {
      await using client = fakeClient({ tools: { who: () => name } }, { name, middleware });
      await client.callTool('who');
    }
    expect(() => replayFrom(two)).toThrow(/has a, b: say which by the option server/);
    expect(() => replayFrom(two, { server: 'c' })).toThrow(/has no server c; it has a, b/);
    await using client = createClient(replayFrom(two, { server: 'b' }));
    expect(textOf(await client.callTool('who'))).toBe('b');
  });
});
