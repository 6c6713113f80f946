/** The licences of the packages that a bundle has inside. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {readonly string[]} modules the files that are inside
 * @returns {string} each package with its version and licence, and the text of the licence
 * @throws Error for a package that has no licence.
 */
export function licencesOf(modules) {
  const directories = new Set(modules.flatMap((module) => packageDirectory(module) ?? []));
  const texts = [...directories].map(licenceOf).sort();
  return `What is inside of this package, and not of the Longwire authors:\n${texts.join('')}`;
}

/** @param {string} module @returns {string | undefined} `undefined` for a file of this workspace */
function packageDirectory(module) {
  const file = module.replace(/^\0/, '').replace(/\?.*$/, '');
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(file)?.[0];
}

/** @param {string} directory of a package */
function licenceOf(directory) {
  const { name, version, license } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  );
  if (typeof license !== 'string') throw new Error(`${name} does not say what its licence is`);
  const file = readdirSync(directory).find((it) => /^licen[cs]e/i.test(it));
  const text =
    file === undefined ? '' : `\n${readFileSync(join(directory, file), 'utf8').trim()}\n`;
  return `\n${'-'.repeat(80)}\n${name} ${version}: ${license}\n${text}`;
}
