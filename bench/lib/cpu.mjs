import { readdirSync, readFileSync } from 'node:fs';

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

const statOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').map(Number);

/** The same of a local Postgres: its postmaster, those that have ended, and those that run. */
export async function cpuOfPostgres(pool) {
  const { rows } = await pool.query('select pg_backend_pid() as pid');
  const postmaster = statOf(rows[0].pid)[1];
  const [, , , , , , , , , , , user, system, endedUser, endedSystem] = statOf(postmaster);
  let ticks = user + system + endedUser + endedSystem;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = statOf(pid);
      if (stat[1] === postmaster) ticks += stat[11] + stat[12];
    } catch {
      // It ended meanwhile.
    }
  }
  return ticks * 10_000;
}
