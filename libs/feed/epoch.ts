import { createHash } from 'node:crypto';

/**
 * Identity of what versions count: the log, the generation of the read models, and the nonce that a restore changes. Short, for it travels
 * in every frame; opaque to clients.
 */
export function epochOf(logIdentity: string, generationId: number | string, nonce: string): string {
  return createHash('sha256').update(`${logIdentity}/${generationId}/${nonce}`).digest('base64url').slice(0, 12);
}
