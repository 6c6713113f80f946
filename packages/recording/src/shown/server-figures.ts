import type { CertaintyName } from '../format.js';
import type { ServerPicture } from '../picture.js';

/** What is said of a server, counted from its picture. */
export interface ServerFigures {
  /** How long the connection has been ready, in milliseconds; `undefined` while it is not. */
  readonly uptimeMs: number | undefined;
  /** Calls that ended, of the last ten seconds that are over. */
  readonly callsPerSecond: number;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly errors: readonly (readonly [CertaintyName, number])[];
  /** An estimate: four characters of JSON are about one token. */
  readonly toolTokens: number;
}

const RATE_SECONDS = 10;
const CHARACTERS_A_TOKEN = 4;

/** The figures of a server at a time. */
export function figuresOf(server: ServerPicture, at: number): ServerFigures {
  const state = server.states.at(-1);
  const seconds = server.seconds.last(RATE_SECONDS, at - 1000);
  const ended = seconds.reduce((sum, { calls, errors }) => sum + calls + errors, 0);
  return {
    uptimeMs: state?.state === 'ready' ? Math.max(0, at - state.from) : undefined,
    callsPerSecond: ended / RATE_SECONDS,
    p50Ms: server.latencies.percentile(0.5),
    p95Ms: server.latencies.percentile(0.95),
    errors: (Object.entries(server.totals.errors) as [CertaintyName, number][]).filter(
      ([, count]) => count > 0,
    ),
    toolTokens: toolTokens(server.catalogue.tools),
  };
}

const measured = new WeakMap<readonly object[], number>();

/** About how many tokens a model reads of these tools' names, descriptions and schemas. */
export function toolTokens(tools: ServerPicture['catalogue']['tools']): number {
  if (tools === undefined) return 0;
  const known = measured.get(tools);
  if (known !== undefined) return known;
  const characters = tools.reduce(
    (sum, { name, description, inputSchema }) =>
      sum + JSON.stringify({ name, description, inputSchema }).length,
    0,
  );
  const tokens = Math.round(characters / CHARACTERS_A_TOKEN);
  measured.set(tools, tokens);
  return tokens;
}
