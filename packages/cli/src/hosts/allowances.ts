import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerConfig } from '@longwire/client/config';
import { readTextFile } from '@longwire/client/internal';
import stringify from 'safe-stable-stringify';
import { usageError } from '../command-error.js';
import type { Configuration } from '../configuration.js';
