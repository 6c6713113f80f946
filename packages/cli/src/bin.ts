#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { VERSION } from '@longwire/client/internal';
import { enableCompileCache } from './compile-cache.js';

const { argv, env, stdin, stdout, stderr } = process;
const args = argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  // What most programs ask first, and what needs nothing of the rest.
  stdout.write(`${VERSION}\n`);
} else if (args[0] === '--renew-login') {
  // A command renews a login apart from itself.
  enableCompileCache(env);
  const { renewHere } = await import('./login/renew-apart.js');
  await renewHere({ env, stdin, stdout });
  process.exit();
} else {
  enableCompileCache(env);
  const { main } = await import('./main.js');
  const onInterrupt = (listener: () => void): void => void process.on('SIGINT', listener);
  const termination = new AbortController();
  for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => termination.abort());
  const [cwd, signal] = [process.cwd(), termination.signal];
  const bin = fileURLToPath(import.meta.url);
  process.exit(await main({ args, env, stdin, stdout, stderr, cwd, bin, onInterrupt, signal }));
}
