import type { LongwireClient } from '@longwire/client';
import type { AddCommand, Context } from '../context.js';
import { targetArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions, withClient } from '../session.js';
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
        withClient(context, word, async (client) => {
          await print(context, client);
          return 0;
        }),
      ),
    );
};

async function print(context: Context, client: LongwireClient): Promise<void> {
  const { terminal, options } = context;
  const offered = client.capabilities?.resources !== undefined;
  const resources = offered ? await client.listResources(operationOptions(context)) : [];
  const resourceTemplates = offered
    ? await client.listResourceTemplates(operationOptions(context))
    : [];
  if (options.json) return terminal.json({ resources, resourceTemplates });
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
