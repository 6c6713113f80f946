import type { Agent, buildConnector, Cookie } from 'undici';

let undici: typeof import('undici') | undefined;

/** Whether {@link loadUndici} is done. */
export function isUndiciLoaded(): boolean {
  return undici !== undefined;
}

/**
 * Loads the HTTP client. It takes longer to load than the rest of this package, so a program waits for
 * it when it dials a URL, and not when it imports this package.
 */
export async function loadUndici(): Promise<void> {
  undici ??= await import('undici');
}

/** Makes an agent, once {@link loadUndici} is done. */
export function createAgent(options: Agent.Options): Agent {
  return new (loaded().Agent)(options);
}

/** Makes what opens the sockets of an agent, once {@link loadUndici} is done. */
export function createConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  return loaded().buildConnector(options);
}

/** Parses a `Set-Cookie` header, once {@link loadUndici} is done; `null` for none that is a cookie. */
export function parseCookie(header: string): Cookie | null {
  return loaded().parseCookie(header);
}

function loaded(): typeof import('undici') {
  if (undici === undefined) throw new Error('undici is not loaded yet');
  return undici;
}
