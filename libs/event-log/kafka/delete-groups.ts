import type { Admin } from 'kafkajs';

/** Kafka's number for a group that is not there. */
const NOT_FOUND = 69;

/** Those that are not there are no failure. @throws Error naming the groups that stay, and why; kafkajs errors of the connection */
export async function deleteGroups(admin: Admin, groups: readonly string[]): Promise<void> {
  if (groups.length === 0) return;
  await admin.connect();
  try {
    await admin.deleteGroups([...groups]).catch((error: unknown) => {
      const { groups: failed = [] } = error as { readonly groups?: readonly Failed[] };
      const stay = failed.filter(({ errorCode }) => errorCode !== NOT_FOUND);
      if (failed.length === 0) throw error;
      if (stay.length > 0)
        throw new Error(`groups stay: ${stay.map(({ groupId, errorCode }) => `${groupId} (${errorCode})`).join(', ')}`);
    });
  } finally {
    await admin.disconnect();
  }
}

interface Failed {
  readonly groupId: string;
  readonly errorCode: number;
}
