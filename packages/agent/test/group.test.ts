import { createGroup } from '@longwire/client/group';
import { expect, test } from 'vitest';
import { fakeSource, said } from './support/fake-source.ts';
import { collect, ofType, setup } from './support/setup.ts';

test('runs on a group: its names, its servers, and what comes and goes in it', async () => {
  const east = fakeSource('east', [{ name: 'get', run: () => said('from the east') }]);
  const west = fakeSource('west', [{ name: 'get', run: () => said('from the west') }]);
  const group = createGroup({ east, west });
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'west__get' }] }, { text: 'Done.' }, { text: 'Gone.' }, { text: 'Back.' }],
    { clients: [group] },
  );
  const events = await collect(agent.send('Go'));
  expect(ofType(events, 'tool-result')).toMatchObject([{ tool: 'west__get', isError: false }]);
  expect(west.calls).toHaveLength(1);
  expect(east.calls).toEqual([]);

  await group.disable('west');
  await collect(agent.send('And now?'));
  group.enable('west');
  await collect(agent.send('And now?'));
  const offered = claude.bodies().map(({ tools }) => tools?.map(({ name }) => name));
  const both = ['east__get', 'west__get'];
  expect(offered).toEqual([both, both, ['east__get'], both]);
});
