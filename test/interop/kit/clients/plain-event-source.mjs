/**
 * A plain `EventSource` looks at the server: `plain-event-source.mjs npm|node URL`. Whatever is sent
 * goes by fetch. It knows nothing of MCP but its messages.
 */
const [kind, url] = process.argv.slice(-2);
const EventSource =
  kind === 'npm' ? (await import('eventsource')).EventSource : globalThis.EventSource;

const source = new EventSource(url);
const waiting = new Map();
const progress = [];
const logged = [];
let changed;
const isChanged = new Promise((resolve) => (changed = resolve));
const endpoint = await new Promise((resolve, reject) => {
  source.addEventListener('endpoint', ({ data }) => resolve(new URL(data, url)), { once: true });
  source.addEventListener('error', () => reject(new Error('the stream could not be opened')));
});
source.addEventListener('message', ({ data }) => {
  const { id, method, params, result, error } = JSON.parse(data);
  if (method === 'notifications/progress') progress.push(`${params.progress}/${params.total}`);
  else if (method === 'notifications/message') logged.push(params.data);
  else if (method === 'notifications/tools/list_changed') changed(true);
  else waiting.get(id)?.(result ?? error);
});

let ids = 0;
async function post(message) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  await response.text();
}
async function request(method, params = {}) {
  const id = ++ids;
  const answered = new Promise((resolve) => waiting.set(id, resolve));
  await post({ id, method, params });
  return answered;
}
const call = (name, args = {}) =>
  request('tools/call', { name, arguments: args, _meta: { progressToken: name } });

await request('initialize', {
  protocolVersion: '2024-11-05',
  capabilities: {},
  clientInfo: { name: 'plain', version: '0' },
});
await post({ method: 'notifications/initialized' });
const { tools } = await request('tools/list');
const echo = await call('echo', { message: 'hé' });
const failed = await call('fail');
await call('steps');
const { contents } = await request('resources/read', { uri: 'note://one' });
const { messages } = await request('prompts/get', { name: 'greet', arguments: { name: 'Ada' } });
await call('grow');
const report = {
  tools: tools.map(({ name }) => name).toSorted(),
  echo: echo.content[0].text,
  failed: failed.isError ? failed.content[0].text : 'no error',
  progress,
  logged,
  changed: await isChanged,
  resource: contents[0].text,
  prompt: messages[0].content.text,
};
source.close();
process.stdout.write(JSON.stringify(report));
