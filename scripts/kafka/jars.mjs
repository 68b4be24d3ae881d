// Kafka's jars, fetched once by Maven into a cache folder and verified before each use. No other download, no host named here.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const KAFKA_VERSION = '4.3.0';

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>hallway</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${KAFKA_VERSION}</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>
  </dependencies>
</project>
`;
const MANIFEST = 'jars.json';
const FETCH_MS = 300_000;

/** What is missing to run Kafka on this machine, as one sentence; undefined if nothing. Java is enough once the jars are there. */
export function missingForKafka(cache) {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (java.error || java.status !== 0) return 'Java 17 is missing (Debian: apt-get install openjdk-17-jre-headless)';
  const major = Number(/version "(\d+)/.exec(java.stderr)?.[1]);
  if (!(major >= 17)) return `Java 17 or newer is missing (this is ${major}; Debian: apt-get install openjdk-17-jre-headless)`;
  if (whole(folderIn(cache))) return undefined;
  const maven = spawnSync('mvn', ['-v'], { stdio: 'ignore' });
  return maven.error || maven.status !== 0 ? 'Maven is missing (Debian: apt-get install maven)' : undefined;
}

/** Answers the folder of the jars, fetching them if they are not there or not whole. */
export function ensureJars(cache) {
  const folder = folderIn(cache);
  if (whole(folder)) return path.join(folder, 'lib');
  mkdirSync(cache, { recursive: true });
  // Made aside and renamed when whole: a fetch that was cut off is never used, and two at once do not meet.
  const draft = mkdtempSync(path.join(cache, `kafka-${KAFKA_VERSION}.part-`));
  try {
    writeFileSync(path.join(draft, 'pom.xml'), POM);
    const args = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'];
    const { status, error, stdout } = spawnSync('mvn', args, { cwd: draft, encoding: 'utf8', timeout: FETCH_MS });
    if (error || status !== 0) throw new Error(`Maven could not fetch Kafka ${KAFKA_VERSION}: ${error?.message ?? stdout.slice(-2_000)}`);
    writeFileSync(path.join(draft, MANIFEST), JSON.stringify(sums(path.join(draft, 'lib')), null, 1));
    if (!whole(folder)) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(draft, folder);
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return path.join(folder, 'lib');
}

/** Of another list of jars, another folder. */
const folderIn = (cache) => path.join(cache, `kafka-${KAFKA_VERSION}-${createHash('sha256').update(POM).digest('hex').slice(0, 8)}`);

function sums(lib) {
  const hash = (name) => createHash('sha256').update(readFileSync(path.join(lib, name))).digest('hex');
  return Object.fromEntries(readdirSync(lib).sort().map((name) => [name, hash(name)]));
}

function whole(folder) {
  const manifest = path.join(folder, MANIFEST);
  return existsSync(manifest) && JSON.stringify(JSON.parse(readFileSync(manifest, 'utf8'))) === JSON.stringify(sums(path.join(folder, 'lib')));
}
