/** D2: a fault of the schema or the program would park one command after the other; then the partition stops instead, and says so. */
import { defineLimit } from '#libs/limits';
import { isAboutOneDatum } from '#libs/postgres';

/** Commands parked by one SQLSTATE within a minute before the partition stops. */
export const MAX_PARKED_PER_MINUTE = defineLimit({
  name: 'projection.parked.per-minute',
  value: 3,
  unit: 'commands',
  beyond: 'the partition halts until the cause is mended or an operator drops the event (`hallway skip`)',
});
const MINUTE_MS = 60_000;

/** Its events are refused one after the other for the same reason, which is no fault of theirs. Nothing was parked for it. */
export class PartitionHalted extends Error {
  override readonly name = 'PartitionHalted';

  constructor(
    readonly state: string,
    readonly offset: bigint,
  ) {
    super(
      `the database refuses one command after the other with ${state}, next the one at offset ${offset}: mend what it refuses, or \`hallway skip\` that event: docs/runbooks/partition-stopped.md`,
    );
  }
}

/** Of one partition, over all claims of this process. */
export class ParkingRate {
  /** Monotonic milliseconds of the last ones, by SQLSTATE. */
  readonly #parked = new Map<string, number[]>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Whether a command may be parked for this refusal. Refusals that are about one event's data always may. */
  allows(state: string | undefined): boolean {
    if (state === undefined || isAboutOneDatum(state)) return true;
    return this.#recent(state).length < MAX_PARKED_PER_MINUTE;
  }

  parked(state: string | undefined): void {
    if (state === undefined || isAboutOneDatum(state)) return;
    this.#parked.set(state, [...this.#recent(state), this.now()].slice(-MAX_PARKED_PER_MINUTE));
  }

  #recent(state: string): readonly number[] {
    return (this.#parked.get(state) ?? []).filter((at) => this.now() - at < MINUTE_MS);
  }
}
