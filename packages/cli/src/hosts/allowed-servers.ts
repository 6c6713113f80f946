import type { AllServers } from '../choose-servers.js';
import { configFileName, type Configuration } from '../configuration.js';
import type { Context } from '../context.js';
import { Allowances } from './allowances.js';
import { shellWord } from './consent.js';
import { hostOf } from './host-files.js';
import { readHostServers } from './host-servers.js';

/**
 * What `@all` stands for where nobody named a file: the servers of the `longwire.json` and of other
 * programs that the user allowed as they are now. Those of the `longwire.json` that are left out are
 * told; so are others that were allowed and have changed since.
 */
export async function allowedServers(
  context: Context,
  configuration: Configuration | undefined,
): Promise<AllServers> {
  const allowances = new Allowances(context);
  const hosts = new Set(allowances.all().flatMap(({ name }) => hostOf(name) ?? []));
  const others = hosts.size === 0 ? [] : (await readHostServers(context, { hosts })).configurations;
  const file = configuration?.file ?? configFileName;
  const skipped = new Map<string, string>();
  const servers: AllServers['servers'] = [];
  for (const each of configuration === undefined ? others : [configuration, ...others]) {
    for (const config of each.servers.values()) {
      if (config.disabled) continue;
      const standing = allowances.standingOf(config, each);
      const how = `longwire servers allow ${shellWord(config.name)}`;
      if (standing === 'allowed') servers.push({ target: config.target, config });
      else if (standing === 'changed') {
        skipped.set(config.name, `it has changed since it was allowed: ${how}`);
      } else if (each === configuration) {
        skipped.set(config.name, `nobody named or allowed it: ${how}, or --config ${file}`);
      }
    }
  }
  return { file, servers, unusable: configuration?.unusable ?? new Map(), skipped };
}
