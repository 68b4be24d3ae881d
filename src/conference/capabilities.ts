/** The list: the only place that names all capabilities. */
import { access } from './access/index.js';
import type { Capability } from './capability.js';
import { conferences } from './conferences/index.js';
import { questions } from './questions/index.js';
import { sessions } from './sessions/index.js';

export const capabilities: readonly Capability[] = [conferences, sessions, questions, access];
