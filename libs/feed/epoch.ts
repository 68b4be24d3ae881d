import { createHash } from 'node:crypto';

/** Identity of what versions count: the log's identity and the generation of the read models. Short, for it travels in every frame; opaque to clients. */
export function epochOf(logIdentity: string, generationId: number | string): string {
  return createHash('sha256').update(`${logIdentity}/${generationId}`).digest('base64url').slice(0, 12);
}
