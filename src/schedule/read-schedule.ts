import { decodeUtf8 } from '#libs/protocol';
import { readFrabJson } from './frab-json.js';
import { readFrabXml } from './frab-xml.js';
import type { ParsedSchedule } from './parsed-schedule.js';
import { ScheduleUnreadable } from './reading.js';

/**
 * Reads a schedule in any format we know. The first character tells which: what senders say about the type is wrong too often.
 *
 * @throws ScheduleUnreadable with the format it was taken for, a place and a reason
 */
export function readSchedule(file: Buffer): ParsedSchedule {
  const text = textOf(file).replace(/^\uFEFF/, '');
  const first = /\S/.exec(text)?.[0];
  const [name, read] =
    first === '{' || first === '['
      ? (['schedule.json', readFrabJson] as const)
      : (['schedule.xml', readFrabXml] as const);
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof ScheduleUnreadable)) throw error;
    throw new ScheduleUnreadable(
      first === '<' || first === '{'
        ? `this is not a ${name}: ${error.message}`
        : `this is neither a schedule.xml nor a schedule.json: ${error.message}`,
    );
  }
}

/** Strictly: loosely decoded, two ids could become one. */
function textOf(file: Buffer): string {
  try {
    return decodeUtf8(file);
  } catch {
    throw new ScheduleUnreadable('the file is not in UTF-8');
  }
}

const HEAD_ENDS = '</conference>';

/**
 * The acronym alone. An XML file has it in its head, and is not read twice only to name the conference it is sent to; what is
 * wrong further down is found when the whole is read.
 *
 * @throws ScheduleUnreadable
 */
export function readAcronym(file: Buffer): string | undefined {
  const end = file.indexOf(HEAD_ENDS);
  if (end !== -1) {
    try {
      return readFrabXml(`${file.toString('utf8', 0, end)}${HEAD_ENDS}</schedule>`).acronym;
    } catch (error) {
      if (!(error instanceof ScheduleUnreadable)) throw error;
    }
  }
  return readSchedule(file).acronym;
}
