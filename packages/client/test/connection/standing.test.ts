import type { Result } from '@modelcontextprotocol/client';
import { describe, expect, it, vi } from 'vitest';
import { KnownTools } from '../../src/connection/known-tools.ts';
import type { LedgerRequest } from '../../src/connection/ledger.ts';
import { Standing } from '../../src/connection/standing.ts';

type Ask = (request: LedgerRequest) => Promise<Result>;

const subscribe = (uri: string) => ({ method: 'resources/subscribe', params: { uri } });
const level = (name: string) => ({ method: 'logging/setLevel', params: { level: name } });
const tools = (...names: string[]) => ({ tools: names.map((name) => ({ name })) });

async function restore(
  standing: Standing,
  ask: Ask = () => Promise.resolve({}),
  isCurrent = true,
): Promise<{ asked: LedgerRequest[]; changes: number; failures: unknown[] }> {
  const asked: LedgerRequest[] = [];
  const onToolsChanged = vi.fn<() => void>();
  const failures: unknown[] = [];
  standing.restore({
    ask: (request) => {
      asked.push(request);
      return ask(request);
    },
    isCurrent: () => isCurrent,
    onToolsChanged,
    onFailure: (error) => failures.push(error),
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { asked, changes: onToolsChanged.mock.calls.length, failures };
}

describe('Standing', () => {
  it('asks for nothing that was not asked for', async () => {
    const standing = new Standing();
    standing.learn({ method: 'tools/call', params: { name: 'echo' } }, {});
    standing.learn({ method: 'resources/list', params: {} }, {});
    expect((await restore(standing)).asked).toEqual([]);
  });

  it('asks again for every subscription that stands and the latest log level, once', async () => {
    const standing = new Standing();
    for (const uri of ['a:1', 'a:2', 'a:1', 'a:3']) standing.learn(subscribe(uri), {});
    standing.learn({ method: 'resources/unsubscribe', params: { uri: 'a:2' } }, {});
    standing.learn(level('info'), {});
    standing.learn(level('debug'), {});
    const { asked } = await restore(standing);
    expect(asked).toEqual([subscribe('a:1'), subscribe('a:3'), level('debug')]);
    expect((await restore(standing)).asked).toEqual(asked);
  });

  it('is restored when all was answered, and tells nothing of a session that is gone', async () => {
    const standing = new Standing();
    standing.learn(subscribe('a:1'), {});
    standing.learn({ method: 'tools/list' }, tools('one'));
    const other = (): Promise<Result> => Promise.resolve(tools('two'));
    expect(standing.isRestored).toBe(true);
    expect((await restore(standing, other, false)).changes).toBe(0);
    expect(standing.isRestored).toBe(false);
    const failing = (): Promise<Result> => Promise.reject(new Error('gone'));
    expect((await restore(standing, failing, false)).failures).toEqual([]);
    expect(standing.isRestored).toBe(false);
    expect((await restore(standing, other)).changes).toBe(1);
    expect(standing.isRestored).toBe(true);
  });

  it('leaves out what was for the one time that it was asked', async () => {
    const standing = new Standing();
    standing.learn(
      {
        method: 'resources/subscribe',
        params: { uri: 'a:1', extra: 1, _meta: { progressToken: 5 } },
      },
      {},
    );
    expect((await restore(standing)).asked).toEqual([
      { method: 'resources/subscribe', params: { uri: 'a:1', extra: 1 } },
    ]);
  });

  it('reads the whole list of tools, and tells if it is another', async () => {
    const standing = new Standing();
    standing.learn({ method: 'tools/list', params: {} }, tools('a', 'b'));
    const pages: Ask = ({ params }) =>
      Promise.resolve(
        params?.['cursor'] === 'two' ? tools('b') : { ...tools('a'), nextCursor: 'two' },
      );
    expect(await restore(standing, pages)).toMatchObject({
      asked: [
        { method: 'tools/list', params: {} },
        { method: 'tools/list', params: { cursor: 'two' } },
      ],
      changes: 0,
    });
    expect((await restore(standing, () => Promise.resolve(tools('a')))).changes).toBe(1);
    expect((await restore(standing, () => Promise.resolve(tools('a')))).changes).toBe(0);
  });

  it('knows of tools from the list alone', async () => {
    const standing = new Standing();
    const look = { name: 'look', annotations: { readOnlyHint: true } };
    standing.learn({ method: 'tools/list' }, { tools: [look] });
    expect(standing.tools.isSafe('look')).toBe(true);
    await restore(standing, () => Promise.resolve(tools('look')));
    expect(standing.tools.isSafe('look')).toBe(false);
  });

  it('ends with a list whose pages never do', async () => {
    const standing = new Standing();
    standing.learn({ method: 'tools/list' }, tools('a'));
    const { failures, changes } = await restore(standing, () =>
      Promise.resolve({ ...tools('a'), nextCursor: 'more' }),
    );
    expect({ failures, changes }).toEqual({ failures: [], changes: 0 });
  });

  it('goes on without what could not be restored, and asks for it again the next time', async () => {
    const standing = new Standing();
    standing.learn(subscribe('a:1'), {});
    standing.learn(subscribe('a:2'), {});
    standing.learn({ method: 'tools/list' }, { tools: [{ name: 'a' }] });
    const no = new Error('no');
    const { failures, changes, asked } = await restore(standing, () => Promise.reject(no));
    expect({ failures, changes }).toEqual({ failures: [no, no, no], changes: 0 });
    expect((await restore(standing, () => Promise.resolve(tools('a')))).asked).toEqual(asked);
  });

  it('does not ask again for tools that were listed on another connection, unless watched', async () => {
    const elsewhere = new KnownTools();
    elsewhere.learn(undefined, tools('one'));
    const standing = new Standing(elsewhere);
    expect((await restore(standing)).asked).toEqual([]);
    standing.watchTools();
    const same = await restore(standing, () => Promise.resolve(tools('one')));
    expect(same).toMatchObject({ asked: [{ method: 'tools/list' }], changes: 0 });
    const other = await restore(standing, () => Promise.resolve(tools('two')));
    expect(other.changes).toBe(1);
  });
});
