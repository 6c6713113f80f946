import { PassThrough } from 'node:stream';
import { main, type MainOptions } from '../src/main.ts';

/** What a run of the command printed and ended with. */
export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command in this process, without a terminal. */
export async function run(
  args: string[],
  options: {
    env?: Record<string, string>;
    input?: string;
    cwd?: string;
    /** Given all of stdout so far, whenever there is more of it. */
    onOutput?: (stdout: string) => void;
  } & Pick<MainOptions, 'onInterrupt'> = {},
): Promise<Run> {
  const { env = {}, input = '', cwd = import.meta.dirname, onInterrupt } = options;
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const out = collected(stdout, options.onOutput);
  const err = collected(stderr);
  const code = await main({
    args,
    env,
    stdin,
    stdout,
    stderr,
    cwd,
    ...(onInterrupt && { onInterrupt }),
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await out, stderr: await err };
}

async function collected(stream: PassThrough, onMore?: (text: string) => void): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    onMore?.(text);
  }
  return text;
}
