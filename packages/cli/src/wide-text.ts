/** How wide any text is. Loaded when text is shown to people: it takes as long to load as all of the command. */
export { default as cliTruncate } from 'cli-truncate';
export { default as stringWidth } from 'string-width';
export { default as wrapAnsi } from 'wrap-ansi';
