import { z } from 'zod';
import { actorId } from '../conference/access/events.js';
import type { Producers } from './intake.js';

/** `HALLWAY_PRODUCERS`: {"venue-doors": ["room-filled-up", "room-freed-up"], "legacy-app": ["*"]} */
export const producersSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('not JSON; example: {"venue-doors":["room-filled-up"]}');
      return z.NEVER;
    }
  })
  .pipe(z.record(actorId, z.array(z.string().min(1).max(60)).min(1).max(100))) satisfies z.ZodType<Producers>;
