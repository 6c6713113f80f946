import type { ServerEvent } from '@modelcontextprotocol/server';

/** What sessions are told of an event of the bus. */
export interface SessionNotification {
  readonly method: string;
  readonly params?: { readonly uri: string };
}

/** The notification of an event; `undefined` for an event of a version that is not known. */
export function notificationOf(event: ServerEvent): SessionNotification | undefined {
  switch (event.kind) {
    case 'tools_list_changed':
      return { method: 'notifications/tools/list_changed' };
    case 'prompts_list_changed':
      return { method: 'notifications/prompts/list_changed' };
    case 'resources_list_changed':
      return { method: 'notifications/resources/list_changed' };
    case 'resource_updated':
      return { method: 'notifications/resources/updated', params: { uri: event.uri } };
    default:
      return undefined;
  }
}
