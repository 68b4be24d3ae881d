/** The list: the only place that names all capabilities. */
import { access } from './access/index.js';
import type { Capability } from './capability.js';
import { conferences } from './conferences/index.js';
import { discussions } from './discussions/index.js';
import { questions } from './questions/index.js';
import { sessions } from './sessions/index.js';
import { updates } from './updates/index.js';

export const capabilities: readonly Capability[] = [conferences, sessions, questions, discussions, updates, access];
