import type { LongwireClient, Resource, ResourceTemplateType } from '@longwire/client';
import type { AddCommand, Context } from '../context.js';
import { lookAt } from '../look-at.js';
import { targetArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions } from '../session.js';
import { renderTable } from '../table.js';
import { firstLine } from '../tool-table.js';

/** `longwire resources [target]` */
export const addResources: AddCommand = (program, run) => {
  program
    .command('resources')
    .description('list the resources of a server, and the templates of more')
    .argument(...targetArgument)
    .addHelpText('after', '\nExample:\n  $ longwire resources http://127.0.0.1:3001/sse --json')
    .action((word: string | undefined) =>
      run((context) =>
        lookAt(context, word, {
          read: (client) => read(context, client),
          print: (found) => print(context, found),
        }),
      ),
    );
};

interface Found {
  resources: Resource[];
  resourceTemplates: ResourceTemplateType[];
}

async function read(context: Context, client: LongwireClient): Promise<Found> {
  if (client.capabilities?.resources === undefined) return { resources: [], resourceTemplates: [] };
  const options = operationOptions(context);
  const resources = await client.listResources(options);
  return { resources, resourceTemplates: await client.listResourceTemplates(options) };
}

function print({ terminal }: Context, { resources, resourceTemplates }: Found): void {
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
