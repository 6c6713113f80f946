// A server with children of its own: one that ignores SIGTERM and holds the server's pipes, one
// that does neither, and, when asked, one that has left the group and holds the pipes.
import { spawn } from 'node:child_process';
import { serve } from './lines.mjs';

const start = (code, options) => spawn(process.execPath, ['-e', code], options);
/** It says so when it is ready: a signal before that would end it. */
const stubborn =
  "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); process.send('ready'); process.disconnect()";
const endless = 'setInterval(() => {}, 1e6)';

const holder = start(stubborn, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
const idle = start(endless, { stdio: 'ignore' });
holder.once('message', () =>
  serve({
    pids: () => ({ pids: [holder.pid, idle.pid] }),
    daemon: () => {
      const daemon = start(endless, { stdio: 'inherit', detached: true });
      daemon.unref();
      return { pid: daemon.pid };
    },
    crash: () => process.exit(1),
  }),
);
