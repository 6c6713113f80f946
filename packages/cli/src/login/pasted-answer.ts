import { createInterface } from 'node:readline';
import type { Context } from '../context.js';
import { LoginError } from './login-error.js';

/**
 * Reads a line that a person pastes: the address that the browser was sent to, or the code alone.
 *
 * @returns the parameters of the callback. A code alone gets the state of this login.
 * @throws LoginError: nothing was pasted, or nothing that is an answer; what `signal` was aborted with.
 */
export async function pastedAnswer(
  context: Pick<Context, 'stdin' | 'terminal' | 'interruptions'>,
  { state, signal }: { state: string; signal: AbortSignal },
): Promise<URLSearchParams> {
  const line = (await readLine(context, signal)).trim();
  if (line === '') {
    throw new LoginError(
      'nothing was pasted: the address that the browser shows at the end is needed',
    );
  }
  if (URL.canParse(line)) {
    const { searchParams } = new URL(line);
    if (searchParams.has('code') || searchParams.has('error')) return searchParams;
    throw new LoginError('the pasted address has no code: copy it when the browser has come back');
  }
  if (/\s/.test(line)) throw new LoginError('what was pasted is neither an address nor a code');
  return new URLSearchParams({ code: line, state });
}

async function readLine(
  { stdin, terminal, interruptions }: Pick<Context, 'stdin' | 'terminal' | 'interruptions'>,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  // A terminal cuts lines unless they are read key by key.
  const isTerminal = terminal.canAsk(stdin);
  const lines = createInterface({
    input: stdin,
    terminal: isTerminal,
    ...(isTerminal && { output: terminal.stderr }),
  });
  lines.on('SIGINT', () => interruptions.interrupt());
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(''));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  } finally {
    lines.close();
  }
}
