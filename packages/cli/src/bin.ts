#!/usr/bin/env node
import { main } from './main.js';

const { argv, env, stdin, stdout, stderr } = process;
const onInterrupt = (listener: () => void): void => void process.on('SIGINT', listener);
const termination = new AbortController();
for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => termination.abort());
const [args, cwd, signal] = [argv.slice(2), process.cwd(), termination.signal];
process.exit(await main({ args, env, stdin, stdout, stderr, cwd, onInterrupt, signal }));
