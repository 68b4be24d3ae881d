import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import snappy from 'snappyjs';
import { codecs } from './codecs.js';

describe('codecs', () => {
  const text = Buffer.concat([Buffer.alloc(100_000, 'conference '), randomBytes(50_000)]);

  it.each(Object.entries(codecs))('%s gives back what it packed', async (_, codec) => {
    const packed = await codec.compress({ buffer: text });
    expect(packed.length).toBeLessThan(text.length);
    expect((await codec.decompress(packed)).equals(text)).toBe(true);
  });

  it('reads the frames of Java’s snappy', async () => {
    const blocks = [text.subarray(0, 70_000), text.subarray(70_000)].map((block) => snappy.compress(block));
    const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const sized = blocks.flatMap((block) => {
      const size = Buffer.alloc(4);
      size.writeUInt32BE(block.length);
      return [size, block];
    });
    expect((await codecs.snappy.decompress(Buffer.concat([head, ...sized]))).equals(text)).toBe(true);
  });

  it('refuses to unpack a bomb', async () => {
    const bomb = Buffer.alloc(65 * 1024 * 1024);
    await expect(codecs.gzip.decompress(zlib.gzipSync(bomb))).rejects.toThrow(/larger/);
    await expect(codecs.zstd.decompress(zlib.zstdCompressSync(bomb))).rejects.toThrow(/larger/);
    await expect(codecs.lz4.decompress(await codecs.lz4.compress({ buffer: bomb }))).rejects.toThrow(/too large/);
    await expect(codecs.snappy.decompress(snappy.compress(bomb))).rejects.toThrow(/too big/);
  });
});
