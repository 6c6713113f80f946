import type { LongwireClient, Resource, ResourceTemplateType } from '@longwire/client';
import type { AddCommand, Context } from '../context.js';
import { lookAt } from '../look-at.js';
import { targetOrAllArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions } from '../session.js';
import { renderTable } from '../table.js';
import { firstLine } from '../tool-table.js';

/** `longwire resources [target]` */
export const addResources: AddCommand = (program, run) => {
  program
    .command('resources')
    .description('list the resources of a server, and the templates of more')
    .argument(...targetOrAllArgument)
    .addHelpText('after', '\nExample:\n  $ longwire resources http://127.0.0.1:3001/sse --json')
    .action((word: string | undefined) =>
      run((context) =>
        lookAt(context, word, {
          read: (client) => readResources(context, client),
          print: (found) => printResources(context, found),
        }),
      ),
    );
};

/** What a server has to read. */
export interface FoundResources {
  resources: Resource[];
  resourceTemplates: ResourceTemplateType[];
}

/** Asks a server for its resources and templates; none where it does not offer any. */
export async function readResources(
  context: Context,
  client: LongwireClient,
  given: { signal?: AbortSignal } = {},
): Promise<FoundResources> {
  if (client.capabilities?.resources === undefined) return { resources: [], resourceTemplates: [] };
  const options = { ...operationOptions(context), ...given };
  const resources = await client.listResources(options);
  return { resources, resourceTemplates: await client.listResourceTemplates(options) };
}

/** Prints them as a table. */
export function printResources(
  { terminal }: Context,
  { resources, resourceTemplates }: FoundResources,
): void {
  if (resources.length + resourceTemplates.length === 0) {
    return terminal.remark('The server has no resources.');
  }
  const rows = [
    ...resources.map((resource) => [resource.uri, resource] as const),
    ...resourceTemplates.map((template) => [template.uriTemplate, template] as const),
  ].map(([uri, { name, title, mimeType, description }]) => [
    sanitizeLine(uri),
    sanitizeLine(title ?? name),
    sanitizeLine(mimeType ?? ''),
    firstLine(description),
  ]);
  terminal.print(renderTable(['resource', 'name', 'type', 'description'], rows, terminal));
}
