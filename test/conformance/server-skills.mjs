import { memorySkillFiles, SkillsExtension } from '@modelcontextprotocol/server/ext/skills';

/** @param {string} name @param {string} description */
const skill = (name, description) =>
  `---\nname: ${name}\ndescription: ${description}\n---\n\n# ${name}\n\nFollow the references.\n`;

/** The skills extension of the SDK with two skills that have files of their own. */
export function createSkills() {
  const files = {
    'pdf-processing/SKILL.md': skill('pdf-processing', 'Fills in forms'),
    'pdf-processing/references/FORMS.md': '# Forms\n',
    'pdf-processing/references/TABLES.md': '# Tables\n',
    'greeting/SKILL.md': skill('greeting', 'Greets'),
    'greeting/references/NAMES.md': '# Names\n',
  };
  return SkillsExtension.load(memorySkillFiles(files), { strict: true, pageSize: 1 });
}
