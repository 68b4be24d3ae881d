import { v5 as uuidv5 } from 'uuid';

/** Namespaces of our own, so that ids made here never meet ids made elsewhere. */
const COMMANDS = '6f8a3c52-5a0e-5c7e-9d52-0f6f5c1f2a11';

/**
 * I13: the same sender's id of the same actor in the same conference is the same command, however often it is sent. As JSON, for no
 * separator is safe in what others choose. Commands of older logs have ids made otherwise and keep them.
 */
export const commandIdOf = (conference: string, actor: string, senderId: string): string =>
  uuidv5(JSON.stringify([conference, actor, senderId]), COMMANDS);

/** Id of the event at this place of the command; also the id of the thing it creates. */
export const eventIdOf = (commandId: string, index: number): string => uuidv5(String(index), commandId);
