import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { createTestDatabase, type TestDatabase } from '../test/support/test-database.js';
import { readConfig } from './config.js';
import { createLogger } from './logger.js';

const SECRET = 'my name is Zebedee\n    at home';

describe('log lines', () => {
  let database: TestDatabase;
  let text = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const logger = createLogger(readConfig({}), sink);
  const line = () => JSON.parse(text) as { err: Record<string, unknown>; [key: string]: unknown };
  const failure = async (statement: string, ...values: unknown[]): Promise<unknown> => {
    try {
      await database.pool.query(statement, values);
    } catch (error) {
      return error;
    }
    throw new Error('the statement should have failed');
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.pool.query('create table said (id int primary key, what text, more int not null)');
  });
  beforeEach(() => {
    text = '';
  });
  afterAll(() => database.drop());

  it('of a row that the database refuses: what went wrong and where, not a word of the row', async () => {
    const err = await failure('insert into said values (1, $1, null)', SECRET);
    expect(JSON.stringify({ ...(err as object) })).toContain('Zebedee'); // It would have been quoted.
    logger.error({ err }, 'a batch cannot be folded');
    expect(line().err).toMatchObject({ type: 'error', code: '23502', stack: expect.stringMatching(/^ {4}at /) });
    expect(text).not.toContain('Zebedee');
    expect(text).not.toContain('at home');
  });

  it('of a value that the database cannot read: not even the message, which quotes it; nor as a cause or one of many', async () => {
    const err = await failure('select $1::text::int', SECRET);
    expect((err as Error).message).toContain('Zebedee');
    logger.error({ err: new Error('not folded', { cause: new AggregateError([err], 'all', { cause: err }) }) }, 'x');
    const inner = { code: '22P02', message: expect.stringContaining('left out') };
    expect(line().err).toMatchObject({ message: 'not folded', cause: { cause: inner, errors: [inner] } });
    expect(text).not.toContain('Zebedee');
    expect(text).not.toContain('at home');
  });

  it('of what is no JSON, and of what was thrown and is no error, as little', () => {
    let err: unknown;
    try {
      JSON.parse(`{"text": ${SECRET}`);
    } catch (error) {
      err = error;
    }
    logger.error({ err }, 'x');
    logger.error({ err: SECRET }, 'x');
    logger.error({ err: { name: 'Zebedee' } }, 'x');
    expect(text).not.toContain('Zebedee');
    expect(text.split('\n').map((one) => one && JSON.parse(one).err.type)).toEqual([
      'SyntaxError',
      'string',
      'object',
      '',
    ]);
  });

  it('of other errors the message, the code and a chain of causes that has an end', () => {
    const err: Error & { code?: string; detail?: string } = new Error('connect ECONNREFUSED');
    Object.assign(err, { code: 'ECONNREFUSED', detail: 'Zebedee', cause: err });
    logger.warn({ err }, 'x');
    expect(line().err).toMatchObject({ type: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' });
    expect(text).not.toContain('Zebedee');
  });

  it('tokens and passwords are redacted, and a line names the trace it belongs to', () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const span = trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0 });
    context.with(trace.setSpan(context.active(), span), () =>
      logger.info({ asked: { token: SECRET, password: SECRET, authorization: SECRET } }, 'x'),
    );
    context.disable();
    expect(text).not.toContain('Zebedee');
    expect(line()).toMatchObject({ trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) });
  });
});
