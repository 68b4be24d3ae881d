// Plain old syntax on purpose: this file must be understood by whatever Node runs it.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `Hallway needs Node 24 or newer; this is Node ${process.versions.node}.\n` +
      'On Linux (x64, arm64) `npm install` brings its own; start through npm (`npm start`, `npx hallway`) so that it is used.\n' +
      'Elsewhere install Node 24 or newer first.\n',
  );
  process.exit(1);
}
