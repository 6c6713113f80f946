import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { READ_ONLY, text } from '../../demo/answers.js';
import { sayByItself } from './say-by-itself.js';

const OPEN_ALERTS = 'alerts://open';
const KINDS = ['disk is nearly full', 'p95 is above 2 s', 'certificate ends in 3 days'] as const;
const MAX_OPEN = 20;

interface Alert {
  readonly id: number;
  readonly what: string;
  readonly severity: 'warning' | 'critical';
  readonly since: string;
}

/** What is open; it is shared by all sessions. */
export class Alerts {
  #open: Alert[] = [];
  #latest = 0;

  get open(): readonly Alert[] {
    return this.#open;
  }

  raise(): Alert {
    const alert: Alert = {
      id: ++this.#latest,
      what: KINDS[this.#latest % KINDS.length] ?? KINDS[0],
      severity: Math.random() < 0.3 ? 'critical' : 'warning',
      since: new Date().toISOString(),
    };
    this.#open = [...this.#open, alert].slice(-MAX_OPEN);
    return alert;
  }

  /** Whether there was such an alert. */
  close(id: number): boolean {
    const before = this.#open.length;
    this.#open = this.#open.filter((alert) => alert.id !== id);
    return this.#open.length < before;
  }
}

/** The server that raises alerts, and has those that are open as a resource. */
export function createAlertsServer(alerts: Alerts): McpServer {
  const server = new McpServer(
    { name: 'alerts', title: 'Alerts', version: '1.0.0' },
    {
      capabilities: { logging: {}, resources: { subscribe: true } },
      instructions: 'Made-up alerts.',
    },
  );
  let isSubscribed = false;
  const changed = (): void => {
    if (!isSubscribed) return;
    server.server.sendResourceUpdated({ uri: OPEN_ALERTS }).catch(() => undefined);
  };
  sayByItself(server, {
    everyMs: () => 2500 + Math.random() * 5000,
    say: () => {
      const { severity, ...alert } = alerts.raise();
      changed();
      return { level: severity, logger: 'alerts', data: alert };
    },
  });
  server.registerResource(
    'open',
    OPEN_ALERTS,
    { title: 'Open alerts', description: 'Changes with each alert.', mimeType: 'application/json' },
    ({ href }) => ({
      contents: [
        { uri: href, mimeType: 'application/json', text: JSON.stringify(alerts.open, null, 2) },
      ],
    }),
  );
  server.server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
    isSubscribed ||= uri === OPEN_ALERTS;
    return {};
  });
  server.server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    if (uri === OPEN_ALERTS) isSubscribed = false;
    return {};
  });
  server.registerTool(
    'acknowledge_alert',
    {
      title: 'Acknowledge an alert',
      description: 'Closes an alert by its number.',
      inputSchema: z.object({ id: z.int().min(1) }),
      annotations: { destructiveHint: false, idempotentHint: true },
    },
    ({ id }) => {
      const isClosed = alerts.close(id);
      if (isClosed) changed();
      return isClosed
        ? text(`Alert ${id} is closed.`)
        : { ...text(`There is no open alert ${id}.`), isError: true };
    },
  );
  server.registerTool(
    'run_check',
    {
      title: 'Run a check',
      description: 'Checks a host. It always fails, to show what that looks like.',
      inputSchema: z.object({ host: z.string().default('db.internal') }),
      annotations: READ_ONLY,
    },
    ({ host }) => ({ ...text(`${host} does not answer.`), isError: true }),
  );
  server.registerPrompt(
    'incident_report',
    {
      title: 'Incident report',
      description: 'Asks for a report on an alert.',
      argsSchema: z.object({ id: z.string().describe('The number of the alert') }),
    },
    ({ id }) => ({
      messages: [
        {
          role: 'user',
          content: { type: 'text', text: `Write three sentences about alert ${id}.` },
        },
      ],
    }),
  );
  return server;
}
