import { toJson, type ServerNotification } from '@longwire/client';
import { sanitizeLine } from './sanitize.js';

/** The text and source of a log message, or undefined for any other notification. */
export function logMessage({
  method,
  params,
}: ServerNotification): { source: string; text: string } | undefined {
  if (method !== 'notifications/message') return undefined;
  const { level, logger, data } = params ?? {};
  const source = [level, logger].filter((part) => typeof part === 'string').join(' ');
  return { source: sanitizeLine(source), text: sanitizeLine(asText(data)) };
}

/** A notification on one line, without its method if its name is enough. */
export function describeNotification(notification: ServerNotification): string {
  const { method, params = {} } = notification;
  const logged = logMessage(notification);
  if (logged !== undefined) return `log ${logged.source}: ${logged.text}`;
  if (method === 'notifications/event') {
    return sanitizeLine(`event ${asText(params['event'])}: ${asText(params['data'])}`);
  }
  const { _meta, ...rest } = params;
  return sanitizeLine(Object.keys(rest).length === 0 ? method : `${method} ${asText(rest)}`);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (toJson(value) ?? '');
}
