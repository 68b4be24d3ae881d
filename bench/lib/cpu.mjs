import { readFileSync } from 'node:fs';

/** Microseconds of processor time of this process so far, all its threads. */
export const ownCpu = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** The same of another process, by Linux's ticks of 10 ms. */
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
