// Every story that does not depend on what is below the faces.

import type { Story } from '../world.js';
import { seeds } from './seeds.js';
import { sessions } from './sessions.js';
import { table } from './table.js';
import { traps } from './traps.js';

export const stories: readonly Story[] = [...seeds, ...table, ...traps, ...sessions];
