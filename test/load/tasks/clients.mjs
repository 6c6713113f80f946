/**
 * The clients of the trial of tasks: many users, each with tasks of its own, who ask for each again as soon
 * as they have an answer, whatever `pollIntervalMs` says. Plain requests: what is measured is the server.
 */
import { Agent, request } from 'undici';

/** @type {{ url: string, era: string, users: number }} */
const { url, era, users } = JSON.parse(process.argv[2] ?? '{}');
const isModern = era === '2026-07-28';
/** How many requests are under way at a time. */
const ASKING = 32;
const dispatcher = new Agent({ connections: ASKING });
/** @type {Map<string, string>} of the legacy era, by user */
const sessions = new Map();
/** @type {{ user: string, taskId: string }[]} */
const made = [];
let lastId = 0;

const META = {
  'io.modelcontextprotocol/protocolVersion': era,
  'io.modelcontextprotocol/clientInfo': { name: 'impatient', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {
    extensions: { 'io.modelcontextprotocol/tasks': {} },
  },
};

/**
 * @param {string} user
 * @param {{ method: string, id?: number, params?: Record<string, any> }} message
 */
function post(user, { method, params, ...rest }) {
  const name = params?.['taskId'] ?? params?.['name'];
  const session = sessions.get(user);
  return request(url, {
    method: 'POST',
    dispatcher,
    headers: {
      authorization: user,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(method !== 'initialize' && { 'mcp-protocol-version': era }),
      ...(session !== undefined && { 'mcp-session-id': session }),
      ...(isModern && { 'mcp-method': method, ...(name !== undefined && { 'mcp-name': name }) }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      ...rest,
      method,
      params: isModern ? { ...params, _meta: META } : params,
    }),
  });
}

/**
 * A server that is overloaded says when to come again, and then these clients do.
 *
 * @param {string} user @param {string} method @param {Record<string, any>} params
 * @returns {Promise<any>}
 */
async function rpc(user, method, params) {
  for (;;) {
    const answer = await rpcOnce(user, method, params);
    const { reason, retryAfterMs } = answer.error?.data ?? {};
    if (reason !== 'overloaded') return answer;
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
  }
}

/** @param {string} user @param {string} method @param {Record<string, any>} params */
async function rpcOnce(user, method, params) {
  const { statusCode, headers, body } = await post(user, { id: ++lastId, method, params });
  const text = await body.text();
  const given = headers['mcp-session-id'];
  if (method === 'initialize' && typeof given === 'string') sessions.set(user, given);
  const json = text.startsWith('{') ? text : /^data: (\{.*)$/m.exec(text)?.[1];
  if (json === undefined) throw new Error(`${method}: ${statusCode} ${text.slice(0, 200)}`);
  return JSON.parse(json);
}

/** @param {string} user */
async function open(user) {
  if (isModern || sessions.has(user)) return;
  const clientInfo = { name: 'impatient', version: '1.0.0' };
  await rpc(user, 'initialize', { protocolVersion: era, capabilities: {}, clientInfo });
  const { body } = await post(user, { method: 'notifications/initialized' });
  await body.dump();
}

/** @param {{ tasks: number, running: number }} wanted */
async function run({ tasks, running }) {
  const startedAt = performance.now();
  const told = { right: 0, polls: 0, seen: 0, tried: 0, tookMs: 0 };
  /** @type {{ user: string, taskId: string, key: string }[]} */
  const pending = [];
  let begun = 0;
  let ended = 0;
  for (let user = 0; user < users; user++) await open(`user ${user}`);

  const begin = async () => {
    const number = begun++;
    const user = `user ${number % users}`;
    const key = `${user} ${number}`;
    const params = { name: 'work', arguments: { key, ms: 1_000 + (number % 10) * 200 } };
    const answer = await rpc(user, 'tools/call', isModern ? params : { ...params, task: {} });
    const taskId = isModern ? answer.result?.taskId : answer.result?.task?.taskId;
    if (typeof taskId !== 'string') throw new Error(`no task: ${JSON.stringify(answer)}`);
    pending.push({ user, taskId, key });
    made.push({ user, taskId });
  };

  const poll = async () => {
    const task = pending.shift();
    if (task === undefined) return;
    told.polls += 1;
    const { user, taskId, key } = task;
    if (told.polls % 50 === 0) {
      told.tried += 1;
      const other = `user ${(Number(user.slice(5)) + 1) % users}`;
      const answer = await rpc(other, 'tasks/get', { taskId });
      if (answer.error?.code !== -32_602) told.seen += 1;
    }
    const { result } = await rpc(user, 'tasks/get', { taskId });
    if (result?.status === 'working') {
      pending.push(task);
      return;
    }
    ended += 1;
    const content = isModern
      ? result?.result?.content
      : (await rpc(user, 'tasks/result', { taskId })).result?.content;
    if (content?.[0]?.text === `done ${key}`) told.right += 1;
  };

  const ask = async () => {
    while (ended < tasks) {
      if (begun < tasks && begun - ended < running) await begin();
      else await poll();
      // The last ones are asked for by few.
      if (pending.length === 0 && begun >= tasks) await new Promise((go) => setTimeout(go, 5));
    }
  };
  await Promise.all(Array.from({ length: ASKING }, ask));
  told.tookMs = performance.now() - startedAt;
  return told;
}

/** Asks for some of those that were made: none is there any more. Then the users leave. */
async function gone() {
  const some = made.filter((_, index) => index % 10 === 0);
  let count = 0;
  for (const { user, taskId } of some) {
    const { error } = await rpc(user, 'tasks/get', { taskId });
    if (error?.code === -32_602) count += 1;
  }
  for (const [user, session] of sessions) {
    const headers = { authorization: user, 'mcp-session-id': session };
    const { statusCode, body } = await request(url, { method: 'DELETE', dispatcher, headers });
    await body.dump();
    if (statusCode >= 300) throw new Error(`a session could not be ended: ${statusCode}`);
  }
  return { gone: count, asked: some.length };
}

process.on('disconnect', () => process.exit());
process.on('message', (/** @type {any} */ question) => {
  const answered = question.action === 'run' ? run(question) : gone();
  answered.then(
    (answer) => process.send?.(answer),
    (error) => process.send?.({ error: String(error?.stack ?? error) }),
  );
});
