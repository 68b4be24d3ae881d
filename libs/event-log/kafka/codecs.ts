/**
 * Other producers choose how they compress, so all of Kafka's codecs must be readable: an unknown one ends kafkajs's consumer for
 * good. None needs a native build (`kafkajs-lz4` does not load on Node 24). What is unpacked is bounded, whatever is claimed.
 */

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import lz4 from 'lz4js';
import snappy from 'snappyjs';
import { defineLimit } from '#libs/limits';

// Node finds no names in this CommonJS package that are computed; its default export has them all.
const { CompressionCodecs, CompressionTypes } = kafkajs;

/** Most bytes one record batch may unpack to. */
const MAX_UNPACKED = defineLimit({
  name: 'kafka.codec.unpacked',
  value: 64 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the batch counts as one that cannot be unpacked',
});

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(packed: Buffer): Promise<Buffer>;
}

const limit = { maxOutputLength: MAX_UNPACKED };
const gzip = promisify(zlib.gzip);
const unzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.unzip);
const zstd = promisify<Buffer, Buffer>(zlib.zstdCompress);
const unzstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

const gzipCodec: Codec = {
  compress: ({ buffer }) => gzip(buffer),
  decompress: (packed) => unzip(packed, limit),
};

const zstdCodec: Codec = {
  compress: ({ buffer }) => zstd(buffer),
  decompress: (packed) => unzstd(packed, limit),
};

const lz4Codec: Codec = {
  compress: async ({ buffer }) => Buffer.from(lz4.compress(buffer)),
  async decompress(packed) {
    const room = Math.min(lz4.decompressBound(packed), MAX_UNPACKED);
    const unpacked = lz4.decompress(packed, room);
    // The library drops what does not fit and says nothing.
    if (unpacked.length >= MAX_UNPACKED) throw new RangeError('an lz4 record batch is too large');
    return Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.length);
  },
};

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEAD = 16;

const snappyCodec: Codec = {
  compress: async ({ buffer }) => snappy.compress(buffer),
  /** Java's client frames its blocks (xerial), librdkafka sends a single bare one. */
  async decompress(packed) {
    if (!packed.subarray(0, XERIAL.length).equals(XERIAL)) return snappy.uncompress(packed, MAX_UNPACKED);
    const blocks: Buffer[] = [];
    let room = MAX_UNPACKED;
    for (let at = XERIAL_HEAD; at + 4 <= packed.length; ) {
      const size = packed.readUInt32BE(at);
      const block = snappy.uncompress(packed.subarray(at + 4, at + 4 + size), room);
      blocks.push(block);
      room -= block.length;
      at += 4 + size;
    }
    return Buffer.concat(blocks);
  },
};

/** For all of kafkajs in this process. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => gzipCodec;
  CompressionCodecs[CompressionTypes.Snappy] = () => snappyCodec;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
}

export const codecs = { gzip: gzipCodec, snappy: snappyCodec, lz4: lz4Codec, zstd: zstdCodec };
