/** Identity of what versions count: the log's identity and the generation of the read models; opaque to clients. */
export function epochOf(logIdentity: string, generationId: number | string): string {
  return `${logIdentity}/${generationId}`;
}
