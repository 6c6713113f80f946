import { readFileSync } from 'node:fs';
import { createGroup, type Group } from '@longwire/client/group';
import { cache, logging, tokenRefresh, type Logger } from '@longwire/client/middleware';
import type { Metrics } from '@longwire/client/middleware/metrics';
import { setting, tokenFor } from './tokens.js';
import type { Tools } from './tools.js';

/** The five servers of this program as one source of tools, for all of its users. */
export function openServers(log: Logger, figures: Metrics): Group<Tools> {
  const around = [logging(log, { level: 'debug' }), figures];
  // Each user has a token of its own: renewed before it expires, and when it is refused.
  const token = tokenRefresh({ provider: tokenFor });
  // Each user has its own results.
  const kept = cache({ tools: { profile: 5_000 } });
  figures.observe(kept);
  const options = { middleware: [...around, token, kept] };
  const group = createGroup<Tools>(
    {
      orders: { target: setting('ORDERS_URL'), options },
      stock: { target: setting('STOCK_URL'), options },
      prices: { target: setting('PRICES_URL'), options },
      // In the network of another company, which only its proxy reaches.
      payroll: {
        target: setting('PAYROLL_URL'),
        options: {
          ...options,
          proxy: setting('PAYROLL_PROXY'),
          tls: {
            ca: readFileSync(setting('PAYROLL_CA')),
            cert: readFileSync(setting('PAYROLL_CERT')),
            key: readFileSync(setting('PAYROLL_KEY')),
          },
        },
      },
      // A process for each user who calls it, and never more than eight.
      files: {
        target: { command: process.execPath, args: [setting('FILES_SCRIPT'), 'stdio'] },
        options: { middleware: around, principals: { maxSessions: 8, idleMs: 5_000 } },
      },
    },
    {
      // There is no session but those of users.
      lazy: true,
      breaker: {},
      shared: { whenAway: { waitMs: 20_000 } },
    },
  );
  figures.observe(group);
  return group;
}
