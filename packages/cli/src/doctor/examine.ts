import { resolveNetwork } from '@longwire/client/internal';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { networkOf } from '../network.js';
import { writtenTarget, type Server } from '../target.js';
import { findCertificate } from './certificate.js';
import { Examination } from './examination.js';
import { askPlainly } from './first-answer.js';
import { findAddresses, findName } from './name-and-address.js';
import { findProgram } from './program.js';
import { findProxy, leftToProxy, type Way } from './proxy.js';
import { ServerTalk } from './server-talk.js';

/** What is looked at beyond what costs nothing. */
export interface ExamineOptions {
  /** How long an event stream is listened to. */
  waitMs: number;
  /** Whether a tool is called. */
  calls: boolean;
}

/** How long each layer below the server may take, without `--timeout`. */
const defaultLayerMs = 5000;

/**
 * Looks at every layer on the way to a server, from the bottom up to the first one that is broken.
 *
 * @returns the exit code of that layer; 0 where none is broken.
 */
export async function examine(
  context: Context,
  server: Server,
  { waitMs, calls }: ExamineOptions,
): Promise<ExitCode> {
  const { target } = server;
  const examination = new Examination(context);
  const { signal } = examination;
  const limits = {
    signal,
    timeoutMs: Math.min(context.options.timeoutMs ?? defaultLayerMs, defaultLayerMs),
  };
  const talk = new ServerTalk(context, server);
  try {
    if (typeof target === 'string') {
      const url = new URL(target);
      context.redactor.addUrl(url);
      const network = resolveNetwork(networkOf(context, server));
      const way: Way = { network };
      await examination.look('proxy', async () => {
        const { finding, proxy } = await findProxy(url, { network, env: context.env, limits });
        way.proxy = proxy;
        return finding;
      });
      let addresses: string[] = [];
      await examination.look('name', async () => {
        if (way.proxy !== undefined) return leftToProxy(url);
        const found = await findName(url, limits);
        ({ addresses } = found);
        return found.finding;
      });
      if (way.proxy === undefined) {
        await examination.look('address', () => findAddresses(url, addresses, limits));
      }
      if (url.protocol === 'https:') {
        await examination.look('tls', () => findCertificate(url, limits, way));
      }
      await examination.look('http', async () => {
        const { finding, answer } = await askPlainly(url, limits, way);
        talk.plainAnswer = answer;
        return finding;
      });
    } else {
      await examination.look('program', async () => findProgram(target, context.env));
    }
    await examination.look('server', () => talk.connect(examination));
    await examination.look('session', () => talk.ping());
    await examination.look('lists', () => talk.list());
    if (calls) await examination.look('call', () => talk.call());
    if (typeof target === 'string') {
      await examination.look('stream', () => talk.listen(waitMs));
    } else {
      await examination.look('output', async () => talk.output());
      await examination.look('exit', () => talk.exit());
    }
  } finally {
    await talk.close();
  }
  return examination.end(writtenTarget(target));
}
