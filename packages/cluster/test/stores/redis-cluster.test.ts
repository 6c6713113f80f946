import type { ServerEvent } from '@modelcontextprotocol/server';
import type { TaskRecord } from '@longwire/server';
import { expect, it } from 'vitest';
import { startRedisCluster } from '../../../../test/cluster/support/redis-cluster.mjs';
import { join } from '../support/nodes.ts';
import { until } from '../../../../test/support/until.ts';

it('tasks, rates, events and revoked keys work over the shards of a Redis Cluster', async () => {
  const server = await startRedisCluster();
  try {
    const nodes = [await join(server.urls), await join(server.urls)];
    const [a, b] = nodes.map(({ node }) => node.stores);
    const task = { tool: 'render', era: 'modern', status: 'working', ttlMs: 60_000 } as const;
    const principals = ['ada', 'bob', 'cem', 'dan'];
    for (const principal of principals) {
      await a!.tasks!.create({ ...task, taskId: `of-${principal}`, principal });
    }
    for (const principal of principals) {
      const taskId = `of-${principal}`;
      const changes = { status: 'completed', result: { content: [] } } as const;
      const ended = await b!.tasks!.update(principal, taskId, { version: 1, changes });
      expect((ended as TaskRecord).status).toBe('completed');
      expect(await a!.tasks!.list(principal)).toEqual({ tasks: [ended] });
      expect(await a!.tasks!.delete(principal, taskId)).toBe(true);
      const limit = { max: 1, windowMs: 60_000 };
      expect((await a!.rates!.take(principal, limit)).isAllowed).toBe(true);
      expect((await b!.rates!.take(principal, limit)).isAllowed).toBe(false);
    }
    const heard: ServerEvent[] = [];
    b!.bus!.subscribe((event) => heard.push(event));
    a!.bus!.publish({ kind: 'tools_list_changed' });
    await until(() => expect(heard).toEqual([{ kind: 'tools_list_changed' }]));
    await a!.revocations!.revoke('aa');
    await until(() => expect(b!.revocations!.isRevoked('aa')).toBe(true));
    for (const { node } of nodes) await node.leave();
  } finally {
    await server.stop();
  }
});
