/** A refusal on the command line: its message is for people, no stack is shown, the exit code is 1. */
export class CliError extends Error {
  override readonly name = 'CliError';
}
