import { isTyped, told } from '../measurements.mjs';
import { HttpPlace } from '../server/http.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */
/** @typedef {import('../server/sse.mjs').SseServer} SseServer */

const CONNECT_MS = 2000;
const LATE_MS = 500;
const PATIENCE_MS = 8000;

/** What is wrong with the way to where messages go. @type {Record<string, (server: SseServer, elsewhere: string) => void>} */
const WRONGS = {
  'endpoint never comes': (server) => {
    server.endpoint = undefined;
  },
  'endpoint of another origin': (server, elsewhere) => {
    server.endpoint = `${elsewhere}/messages?sessionId=SESSION`;
  },
  'GET redirected to another origin': (server, elsewhere) => {
    server.answerGet = (_request, response) => {
      response.writeHead(307, { location: `${elsewhere}/sse` }).end();
      return true;
    };
  },
  'POST redirected to another origin': (server, elsewhere) => {
    server.answerPost = () => ({ status: 307, headers: { location: `${elsewhere}/messages` } });
  },
};

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'I',
  title: 'Led astray',
  demand:
    'The `endpoint` event never comes, or names another origin; GET, or POST, is redirected to ' +
    'another origin: a typed error within the connect time-out of 2 s (and 0.5 s for a busy ' +
    'machine), and the other origin receives nothing.',
  transports: { sse: run },
};

/** @param {Stage} stage */
async function run(stage) {
  const jobs = Object.entries(WRONGS).map(([name, wrong]) => [
    name,
    (/** @type {Stage} */ part) => astray(part, wrong),
  ]);
  await stage.inParts({
    ...Object.fromEntries(jobs),
    'POST of a call redirected': astrayLater,
  });
}

/** @param {Stage} stage @param {(server: SseServer, elsewhere: string) => void} wrong */
async function astray(stage, wrong) {
  const server = await stage.sseServer();
  const elsewhere = await otherOrigin(stage);
  wrong(server, elsewhere.origin);
  const client = stage.process();
  await client.create(server.url, { connectMs: CONNECT_MS });
  const outcome = await client.connect(PATIENCE_MS);
  checkOutcome(stage, outcome, elsewhere);
  await stage.finish(client, server);
}

/** @param {Stage} stage */
async function astrayLater(stage) {
  const server = await stage.sseServer();
  const elsewhere = await otherOrigin(stage);
  const client = await stage.connected(server.url, { connectMs: CONNECT_MS });
  if (client === undefined) return;
  server.answerPost = ({ key }) =>
    key === undefined
      ? undefined
      : { status: 307, headers: { location: `${elsewhere.origin}/messages` } };
  checkOutcome(stage, await client.call('write', { key: 'i' }, {}, PATIENCE_MS), elsewhere);
  await stage.finish(client, server);
}

/**
 * @param {Stage} stage
 * @param {import('../client-process.mjs').Outcome} outcome
 * @param {HttpPlace} elsewhere
 */
function checkOutcome(stage, outcome, elsewhere) {
  const inTime = outcome.ms <= CONNECT_MS + LATE_MS;
  stage.check('a typed error in time', isTyped(outcome) && inTime, told(outcome));
  const { acceptedConnections, requests } = elsewhere;
  stage.check(
    'nothing reaches the other origin',
    acceptedConnections === 0,
    `${acceptedConnections} connections, ${requests} requests`,
  );
}

/** @param {Stage} stage */
function otherOrigin(stage) {
  return stage.place(new HttpPlace((_request, response) => response.writeHead(202).end()));
}
