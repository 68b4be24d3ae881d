/** The embedded database cannot run here; the message says why and what else can be done. */
export class EmbeddedUnavailable extends Error {
  override readonly name = 'EmbeddedUnavailable';

  constructor(reason: string) {
    super(`the embedded database cannot run here: ${reason}; set DATABASE_URL to a Postgres of your own`);
  }
}
