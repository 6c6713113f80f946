import type { Result } from '@modelcontextprotocol/client';
import { describe, expect, it, vi } from 'vitest';
import { ToolCatalog } from '../../src/tools/catalog.ts';
import type { LedgerRequest } from '../../src/connection/ledger.ts';
import { RestorableState } from '../../src/connection/restorable-state.ts';

type Ask = (request: LedgerRequest) => Promise<Result>;

const subscribe = (uri: string) => ({ method: 'resources/subscribe', params: { uri } });
const level = (name: string) => ({ method: 'logging/setLevel', params: { level: name } });
const tools = (...names: string[]) => ({ tools: names.map((name) => ({ name })) });

async function restore(
  restorable: RestorableState,
  ask: Ask = () => Promise.resolve({}),
  isCurrent = true,
): Promise<{ asked: LedgerRequest[]; changes: number; failures: unknown[] }> {
  const asked: LedgerRequest[] = [];
  const onToolsChanged = vi.fn<() => void>();
  const failures: unknown[] = [];
  restorable.restore({
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

describe('RestorableState', () => {
  it('asks for nothing that the program never asked for', async () => {
    const restorable = new RestorableState();
    restorable.learn({ method: 'tools/call', params: { name: 'echo' } }, {});
    restorable.learn({ method: 'resources/list', params: {} }, {});
    expect((await restore(restorable)).asked).toEqual([]);
  });

  it('asks again once for every open subscription and the latest log level', async () => {
    const restorable = new RestorableState();
    for (const uri of ['a:1', 'a:2', 'a:1', 'a:3']) restorable.learn(subscribe(uri), {});
    restorable.learn({ method: 'resources/unsubscribe', params: { uri: 'a:2' } }, {});
    restorable.learn(level('info'), {});
    restorable.learn(level('debug'), {});
    const { asked } = await restore(restorable);
    expect(asked).toEqual([subscribe('a:1'), subscribe('a:3'), level('debug')]);
    expect((await restore(restorable)).asked).toEqual(asked);
  });

  it('is restored when all was answered, and reports nothing of a session that is gone', async () => {
    const restorable = new RestorableState();
    restorable.learn(subscribe('a:1'), {});
    restorable.learn({ method: 'tools/list' }, tools('one'));
    const other = (): Promise<Result> => Promise.resolve(tools('two'));
    expect(restorable.isRestored).toBe(true);
    expect((await restore(restorable, other, false)).changes).toBe(0);
    expect(restorable.isRestored).toBe(false);
    const failing = (): Promise<Result> => Promise.reject(new Error('gone'));
    expect((await restore(restorable, failing, false)).failures).toEqual([]);
    expect(restorable.isRestored).toBe(false);
    expect((await restore(restorable, other)).changes).toBe(1);
    expect(restorable.isRestored).toBe(true);
  });

  it('leaves out what belongs to the first request only', async () => {
    const restorable = new RestorableState();
    restorable.learn(
      {
        method: 'resources/subscribe',
        params: { uri: 'a:1', extra: 1, _meta: { progressToken: 5 } },
      },
      {},
    );
    expect((await restore(restorable)).asked).toEqual([
      { method: 'resources/subscribe', params: { uri: 'a:1', extra: 1 } },
    ]);
  });

  it('reads the whole list of tools, and reports if it has changed', async () => {
    const restorable = new RestorableState();
    restorable.learn({ method: 'tools/list', params: {} }, tools('a', 'b'));
    const pages: Ask = ({ params }) =>
      Promise.resolve(
        params?.['cursor'] === 'two' ? tools('b') : { ...tools('a'), nextCursor: 'two' },
      );
    expect(await restore(restorable, pages)).toMatchObject({
      asked: [
        { method: 'tools/list', params: {} },
        { method: 'tools/list', params: { cursor: 'two' } },
      ],
      changes: 0,
    });
    expect((await restore(restorable, () => Promise.resolve(tools('a')))).changes).toBe(1);
    expect((await restore(restorable, () => Promise.resolve(tools('a')))).changes).toBe(0);
  });

  it('knows tools only from the list', async () => {
    const restorable = new RestorableState();
    const look = { name: 'look', annotations: { readOnlyHint: true } };
    restorable.learn({ method: 'tools/list' }, { tools: [look] });
    expect(restorable.tools.isSafe('look')).toBe(true);
    await restore(restorable, () => Promise.resolve(tools('look')));
    expect(restorable.tools.isSafe('look')).toBe(false);
  });

  it('stops reading a list whose pages never end', async () => {
    const restorable = new RestorableState();
    restorable.learn({ method: 'tools/list' }, tools('a'));
    const { failures, changes } = await restore(restorable, () =>
      Promise.resolve({ ...tools('a'), nextCursor: 'more' }),
    );
    expect({ failures, changes }).toEqual({ failures: [], changes: 0 });
  });

  it('continues without what could not be restored, and asks for it again the next time', async () => {
    const restorable = new RestorableState();
    restorable.learn(subscribe('a:1'), {});
    restorable.learn(subscribe('a:2'), {});
    restorable.learn({ method: 'tools/list' }, { tools: [{ name: 'a' }] });
    const no = new Error('no');
    const { failures, changes, asked } = await restore(restorable, () => Promise.reject(no));
    expect({ failures, changes }).toEqual({ failures: [no, no, no], changes: 0 });
    expect((await restore(restorable, () => Promise.resolve(tools('a')))).asked).toEqual(asked);
  });

  it('does not ask again for tools that were listed on another connection, unless watched', async () => {
    const elsewhere = new ToolCatalog();
    elsewhere.learn(undefined, tools('one'));
    const restorable = new RestorableState(elsewhere);
    expect((await restore(restorable)).asked).toEqual([]);
    restorable.watchTools();
    const same = await restore(restorable, () => Promise.resolve(tools('one')));
    expect(same).toMatchObject({ asked: [{ method: 'tools/list' }], changes: 0 });
    const other = await restore(restorable, () => Promise.resolve(tools('two')));
    expect(other.changes).toBe(1);
  });
});
