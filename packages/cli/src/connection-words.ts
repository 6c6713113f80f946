import type {
  ConnectionState,
  Implementation,
  LongwireClient,
  Readiness,
  Waiting,
} from '@longwire/client';
import { formatDuration } from './durations.js';
import { sanitizeLine } from './sanitize.js';

/** What a state itself does not say. */
interface StateWordsOptions {
  /** It was ready before. */
  again?: boolean;
  /** Who the server says it is now. */
  server?: Implementation | undefined;
}

/** Describes the states of a client's connection as they change; see {@link describeState}. */
export function createStateWords(
  client: Pick<LongwireClient, 'state' | 'server'>,
): (state: ConnectionState) => string {
  let again = client.state.name === 'ready';
  return (state) => {
    const words = describeState(state, { again, server: client.server });
    again ||= state.name === 'ready';
    return words;
  };
}

/** The state of a connection, on one line; sanitized, its URL not redacted yet. */
export function describeState(
  state: ConnectionState,
  { again = false, server }: StateWordsOptions = {},
): string {
  switch (state.name) {
    case 'connecting':
      return state.known || state.attempt > 1 ? 'connecting again' : 'connecting';
    case 'ready': {
      const session = state.resumed ? 'session resumed' : 'new session';
      const ready = again ? `ready again (${session})` : 'ready';
      const where = `${describeRoute(state)}, in ${formatDuration(state.connectMs)}`;
      if (state.formerServer === undefined) return `${ready}: ${where}`;
      const [was, is] = [nameOf(state.formerServer), nameOf(server)];
      return `${ready}: ${where}; the server is another now: was ${was}, is ${is}`;
    }
    case 'reconnecting': {
      const delay = formatDuration(state.nextDelayMs);
      return `reconnecting in ${delay} (${attemptOf(state)}): ${sanitizeLine(state.reason.summary)}`;
    }
    case 'resting':
      return `resting: ${sanitizeLine(state.reason.summary)}`;
    default:
      return state.name;
  }
}

/** That a call waits for a server that is away; sanitized, not redacted yet. */
export function describeWaiting({ server, reason, nextTryAt }: Waiting): string {
  const leftMs = nextTryAt === undefined ? 0 : nextTryAt - Date.now();
  const next = leftMs > 0 ? `next try in ${formatDuration(leftMs)}` : 'trying now';
  return sanitizeLine(`${server} is away (${sanitizeLine(reason.summary, 90)}), waiting; ${next}`);
}

/** The transport and address of a server; not redacted yet. */
export function describeRoute({
  transport,
  address,
}: Pick<Readiness, 'transport' | 'address'>): string {
  return `${transport} ${transport === 'stdio' ? 'with' : 'at'} ${sanitizeLine(address)}`;
}

function attemptOf(state: { attempt: number; maxAttempts: number }): string {
  const { attempt, maxAttempts } = state;
  if (maxAttempts === Infinity) return `attempt ${attempt}`;
  // Beyond its budget it continues only while a call waits.
  if (attempt > maxAttempts) return `attempt ${attempt}, because a call waits`;
  return `attempt ${attempt} of ${maxAttempts}`;
}

function nameOf(server: Implementation | undefined): string {
  return sanitizeLine(`${server?.name ?? 'unknown'} ${server?.version ?? ''}`, 100);
}
