import { spawn } from 'node:child_process';

/**
 * The fewest steps that can do the job: a line out, a line in, a map of who waits for which answer.
 *
 * @param {string} server the file of its program
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(server) {
  const { stdin, stdout } = spawn(process.execPath, [server], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  /** @type {Map<number, { resolve(result: any): void, reject(error: Error): void }>} */
  const waiting = new Map();
  let lastId = 0;
  let rest = '';

  stdout.setEncoding('utf8').on('data', (chunk) => {
    const text = rest + chunk;
    let start = 0;
    let end;
    while ((end = text.indexOf('\n', start)) !== -1) {
      settle(JSON.parse(text.slice(start, end)));
      start = end + 1;
    }
    rest = text.slice(start);
  });
  stdout.on('end', () => {
    for (const call of waiting.values()) call.reject(new Error('The server ended'));
    waiting.clear();
  });

  /** @param {{ id: number, result?: any, error?: { message: string } }} message */
  function settle({ id, result, error }) {
    const call = waiting.get(id);
    if (call === undefined) return;
    waiting.delete(id);
    if (error === undefined) call.resolve(result);
    else call.reject(new Error(error.message));
  }

  /** @param {object} message */
  const send = (message) => stdin.write(`${JSON.stringify(message)}\n`);

  /** @param {string} method @param {object} params @returns {Promise<any>} */
  function request(method, params) {
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      send({ jsonrpc: '2.0', id, method, params });
    });
  }

  await request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bare-loop', version: '1.0.0' },
  });
  send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await request('tools/list', {});

  return {
    callTool: (name, args) => request('tools/call', { name, arguments: args }),
  };
}
