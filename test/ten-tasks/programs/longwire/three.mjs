import { textOf } from '@longwire/client';
import { createGroup } from '@longwire/client/group';

const group = createGroup(JSON.parse(process.env.MARKET_URLS));
await group.listTools();
for (const { name, state, tools } of group.status()) {
  console.log(`${name}: ${state === 'ready' ? `${tools} tools` : 'down'}`);
}
for (const name of ['a', 'b']) {
  console.log(textOf(await group.callTool(`${name}__price`, { symbol: 'AAPL' })));
}
await group.close();
