import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, configTable, describeConfig, readConfig } from './config.js';

describe('configuration', () => {
  it('has sensible defaults', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ PORT: 3000, HOST: '127.0.0.1', ROLE: 'all', publicUrl: 'http://127.0.0.1:3000' });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes an empty variable for an absent one', () => {
    expect(readConfig({ PORT: '' }).PORT).toBe(3000);
  });

  it('refuses unknown HALLWAY_ names and every wrong value at once, without echoing values', () => {
    const bad = () => readConfig({ HALLWAY_TYPO: 'x', PORT: 'ninety', ROLE: 'boss', DATABASE_URL: 'secret-not-a-url' });
    expect(bad).toThrow(ConfigError);
    expect(bad).toThrow(/HALLWAY_TYPO[\s\S]*PORT[\s\S]*DATABASE_URL[\s\S]*ROLE/);
    expect(bad).not.toThrow(/secret-not-a-url|ninety/);
  });

  it('refuses a role of its own on the embedded database', () => {
    expect(() => readConfig({ ROLE: 'gateway' })).toThrow(/DATABASE_URL/);
    expect(readConfig({ ROLE: 'gateway', DATABASE_URL: 'postgres://u:p@h/d' }).ROLE).toBe('gateway');
    expect(() => readConfig({ ROLE: 'boss' })).not.toThrow(/DATABASE_URL/);
  });

  it('refuses half a login to Kafka and a log that nothing could be appended to', () => {
    expect(() => readConfig({ KAFKA_BROKERS: 'a:9092,b' })).toThrow(/KAFKA_BROKERS: host:port/);
    expect(() => readConfig({ KAFKA_SASL_USERNAME: 'hallway' })).toThrow(/KAFKA_SASL_PASSWORD: all of them or none/);
    expect(() => readConfig({ KAFKA_TLS_KEY_FILE: '/k' })).toThrow(/both or none/);
    expect(() => readConfig({ KAFKA_MIN_INSYNC_REPLICAS: '2' })).toThrow(/KAFKA_REPLICAS/);
    expect(() => readConfig({ KAFKA_INTAKE_TOPIC: 'conference.events' })).toThrow(/KAFKA_INTAKE_TOPIC: the log takes/);
    expect(readConfig({ KAFKA_BROKERS: 'a:9092,b:9093' }).KAFKA_EVENTS_TOPIC).toBe('conference.events');
  });

  it('masks secrets when printed', () => {
    const lines = JSON.stringify(
      describeConfig(readConfig({ DATABASE_URL: 'postgres://u:hunter2@h/d', HALLWAY_TOKEN: 'tok-en' })),
    );
    expect(lines).not.toMatch(/hunter2|tok-en/);
    expect(lines).toMatch(/\(set\)/);
  });

  it('is listed in docs/operations.md as the schema says (npm run contracts writes it anew)', () => {
    expect(readFileSync('docs/operations.md', 'utf8')).toContain(`-->\n${configTable()}\n<!--`);
  });
});
