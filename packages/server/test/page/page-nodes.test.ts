import { expect, it } from 'vitest';
import type { MountPage, PageNodes } from '../../src/index.ts';
import { serving } from '../fixture.ts';
import { servingNodes } from '../support/nodes.ts';
import { until } from '../../../../test/support/until.ts';

/** A page that keeps what it is given, and what it hears. */
function pageOf() {
  const nodes: PageNodes[] = [];
  const heard: unknown[] = [];
  const page: MountPage = {
    allow: () => true,
    watch: (mount) => {
      if (mount.nodes !== undefined) nodes.push(mount.nodes);
      mount.nodes?.listen({
        received: (body, from) => {
          heard.push([from, body]);
          if (body === null) throw new Error('not understood');
        },
        gone: (node) => heard.push(`${node} is gone`),
      });
      return { gate: {}, observer: {}, register: () => {}, close: () => {} };
    },
  };
  return { page, nodes, heard };
}

it('reaches the pages of other nodes, and nothing else of them', async () => {
  const { page, nodes, heard } = pageOf();
  const { cluster } = await servingNodes(['a', 'b'], { page });
  const [a] = nodes;
  expect(a?.name).toBe('a');
  expect(await a?.others()).toEqual(['b']);
  expect(await a?.send('b', { text: 'one' })).toBe(true);
  await until(() => expect(heard).toEqual([['a', { text: 'one' }]]));
  // A message that its page cannot take harms nobody.
  await a?.send('b', null as never);
  await a?.send('b', { text: 'two' });
  await until(() => expect(heard.at(-1)).toEqual(['a', { text: 'two' }]));
  // No part of the node has answered.
  expect(cluster.sent.map(({ kind, to }) => [kind, to])).toEqual([
    ['page', 'b'],
    ['page', 'b'],
    ['page', 'b'],
  ]);
  cluster.kill('b');
  expect(await a?.send('b', { text: 'three' })).toBe(false);
  await until(() => expect(heard.at(-1)).toBe('b is gone'));
});

it('is given no nodes where a mount is alone', async () => {
  const { page, nodes } = pageOf();
  await serving({ page });
  expect(nodes).toEqual([]);
});
